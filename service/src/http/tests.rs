//! The responses of the outermost layer: errors, trailing slashes, `Allow`, metrics.

mod drain;
mod limits;

use std::{io, time::Duration};

use poem::{
    handler,
    http::StatusCode,
    post,
    test::TestClient,
    web::{Json, Path},
};

use poem_openapi::{OpenApiService, payload::PlainText};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    auth::AuthConfig,
    problem::{PROBLEM_JSON, Problem, ProblemKind},
    telemetry,
};

fn limits() -> HttpLimits {
    HttpLimits {
        max_connections: 10,
        max_header_bytes: 2_048,
        header_timeout: Duration::from_mins(1),
    }
}

fn edge(health: Health) -> Edge {
    Edge {
        health,
        metrics: telemetry::unrecorded(),
        gate: Arc::default(),
        limits: limits(),
    }
}

/// Any loopback port, without authentication.
fn on_loopback() -> HttpConfig {
    HttpConfig {
        addr: "127.0.0.1:0".parse().unwrap(),
        limits: limits(),
        auth: AuthConfig::default(),
    }
}

#[handler]
fn playback(Path(id): Path<u32>) -> Result<String, Problem> {
    if id == 1 {
        Ok("found".to_owned())
    } else {
        Err(Problem::new(ProblemKind::NotFound, "no such playback"))
    }
}

#[handler]
fn append(_: Json<serde_json::Value>) {}

#[handler]
fn broken() -> poem::Result<()> {
    Err(poem::Error::from_string(
        "password=hunter2",
        StatusCode::INTERNAL_SERVER_ERROR,
    ))
}

#[handler]
fn panics() {
    panic!("a defect");
}

fn client() -> TestClient<impl Endpoint> {
    let routes = Route::new()
        .at("/stats/playback/:id", get(playback))
        .at("/events", post(append))
        .at("/broken", get(broken))
        .at("/panics", get(panics));
    let document =
        r#"{"openapi":"3.0.0","paths":{"/stats/playback/{id}":{"get":{}},"/events":{"post":{}}}}"#;
    let paths = Paths::from_openapi(document).unwrap();
    TestClient::new(endpoint(routes, paths, edge(Health::default())))
}

async fn problem(response: poem::test::TestResponse, status: StatusCode) -> serde_json::Value {
    response.assert_status(status);
    response.assert_content_type(PROBLEM_JSON);
    let body: serde_json::Value = response.0.into_body().into_json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    body
}

#[tokio::test]
async fn every_path_accepts_a_trailing_slash() {
    for path in [
        "/stats/playback/1",
        "/stats/playback/1/",
        "/stats/playback/1/?after=7:1",
        "/health/live/",
    ] {
        client().get(path).send().await.assert_status_is_ok();
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let body = problem(client().get("/nowhere").send().await, StatusCode::NOT_FOUND).await;
    assert_eq!(body["type"], "/problems/not-found");
}

#[tokio::test]
async fn an_unknown_method_is_a_problem_with_the_allowed_methods() {
    for (path, allow) in [
        ("/stats/playback/1", "GET, HEAD"),
        ("/events", "POST"),
        ("/metrics", "GET, HEAD"),
    ] {
        let response = client().delete(path).send().await;
        response.assert_header("allow", allow);
        problem(response, StatusCode::METHOD_NOT_ALLOWED).await;
    }
}

#[tokio::test]
async fn errors_of_the_framework_are_problems() {
    problem(
        client().get("/stats/playback/x").send().await,
        StatusCode::BAD_REQUEST,
    )
    .await;
    problem(
        client()
            .post("/events")
            .content_type("application/json")
            .body("{")
            .send()
            .await,
        StatusCode::BAD_REQUEST,
    )
    .await;
    problem(
        client().post("/events").body("{}").send().await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    )
    .await;
}

#[tokio::test]
async fn problems_of_a_service_are_not_changed() {
    let body = problem(
        client().get("/stats/playback/2").send().await,
        StatusCode::NOT_FOUND,
    )
    .await;
    assert_eq!(body["detail"], "no such playback");
}

#[tokio::test]
async fn internal_errors_are_not_exposed() {
    for path in ["/broken", "/panics"] {
        let body = problem(
            client().get(path).send().await,
            StatusCode::INTERNAL_SERVER_ERROR,
        )
        .await;
        assert_eq!(body["detail"], "the request could not be completed");
    }
}

#[tokio::test]
async fn readiness_has_reasons() {
    let health = Health::default();
    let check = health.check("log");
    let client = TestClient::new(endpoint(Route::new(), Paths::default(), edge(health)));
    let response = client.get("/health/ready").send().await;
    response.assert_status(StatusCode::SERVICE_UNAVAILABLE);
    let body: serde_json::Value = response.0.into_body().into_json().await.unwrap();
    assert_eq!(body["status"], "unready");
    assert_eq!(body["checks"][0]["name"], "log");
    assert_eq!(body["checks"][0]["reason"], "starting");
    check.ok();
    client
        .get("/health/ready")
        .send()
        .await
        .assert_status_is_ok();
}

#[tokio::test]
async fn request_durations_are_labeled_by_route_template_never_by_path() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Local to this thread, on which the test's runtime runs everything.
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    client()
        .get("/stats/playback/1")
        .send()
        .await
        .assert_status_is_ok();
    client()
        .get("/stats/playback/2")
        .send()
        .await
        .assert_status(StatusCode::NOT_FOUND);
    client()
        .get("/nowhere/17")
        .send()
        .await
        .assert_status(StatusCode::NOT_FOUND);
    let text = handle.render();
    assert!(
        text.contains(r#"http_route="/stats/playback/{id}",http_response_status_code="200""#),
        "{text}"
    );
    assert!(
        text.contains(r#"http_route="/stats/playback/{id}",http_response_status_code="404""#),
        "{text}"
    );
    assert!(text.contains(r#"http_route="unmatched""#), "{text}");
    assert!(!text.contains("nowhere"), "{text}");
}

struct Api;

#[poem_openapi::OpenApi]
impl Api {
    #[oai(path = "/stats/playback/:id", method = "get")]
    async fn playback(
        &self,
        id: poem_openapi::param::Path<u32>,
    ) -> Result<PlainText<String>, Problem> {
        std::future::ready(()).await;
        Err(Problem::new(
            ProblemKind::NotFound,
            format!("no playback {}", id.0),
        ))
    }
}

#[tokio::test]
async fn a_documented_api_documents_and_returns_its_problems() {
    let api = OpenApiService::new(Api, "api", "1");
    let document = api.spec();
    let described: serde_json::Value = serde_json::from_str(&document).unwrap();
    let answers = &described["paths"]["/stats/playback/{id}"]["get"]["responses"];
    assert!(
        answers["default"]["content"][PROBLEM_JSON].is_object(),
        "{answers}"
    );

    let routes = Route::new().nest("/", api);
    let paths = Paths::from_openapi(&document).unwrap();
    let client = TestClient::new(endpoint(routes, paths, edge(Health::default())));
    let body = problem(
        client.get("/stats/playback/7/").send().await,
        StatusCode::NOT_FOUND,
    )
    .await;
    assert_eq!(body["detail"], "no playback 7");
    let body = problem(
        client.get("/stats/playback/x").send().await,
        StatusCode::BAD_REQUEST,
    )
    .await;
    assert_eq!(body["errors"][0]["pointer"], "{id}");
    let response = client.post("/stats/playback/7").send().await;
    response.assert_header("allow", "GET, HEAD");
    problem(response, StatusCode::METHOD_NOT_ALLOWED).await;
    problem(client.get("/nowhere").send().await, StatusCode::NOT_FOUND).await;
    client
        .get("/health/live")
        .send()
        .await
        .assert_status_is_ok();
}
