//! Authentication of the real services: API keys from `command-api api-key`, tokens, and what each may do at both APIs.

use std::fs;
use std::process::Stdio;

use ess_e2e::{Answer, Http, TestApp};
use ess_parts::Scratch;
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use reqwest::Method;
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Generates a key with the command-api; returns the key and its entry for the key file.
fn new_key(app: &TestApp, arguments: &[&str]) -> (String, String) {
    let mut command = app.command_api.command();
    command.arg("api-key").args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let entry = String::from_utf8(output.stdout).unwrap();
    let key = entry
        .lines()
        .next()
        .and_then(|line| line.rsplit(' ').next());
    (key.unwrap().to_owned(), entry)
}

async fn get(http: &Http, path: &str, credential: (&str, &str)) -> Answer {
    let (name, value) = credential;
    http.send(http.request(Method::GET, path).header(name, value))
        .await
}

async fn append(app: &TestApp, body: &Value, credential: (&str, &str)) -> Answer {
    let (name, value) = credential;
    let request = app.commands().request(Method::POST, "/commands");
    let request = request
        .header(name, value)
        .header("content-type", "application/json");
    app.commands().send(request.body(body.to_string())).await
}

fn pause(playback: &str, user: &str) -> Value {
    json!({
        "type": "PausePlayback", "event_id": format!("e-{playback}"), "playback_id": playback,
        "user_id": user, "track_id": "t", "position_ms": 1,
    })
}

fn token(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    format!(
        "Bearer {}",
        encode(&Header::default(), claims, &key).unwrap()
    )
}

fn token_of(user: &str) -> String {
    let exp = get_current_timestamp() + 600;
    token(&json!({"sub": user, "aud": "ess", "exp": exp, "scope": "read write"}))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_admitted_within_their_scopes_and_rate_limits() {
    let folder = Scratch::new().unwrap();
    let file = folder.path().join("keys.toml");
    let stopped_services = TestApp::builder()
        .without_command_api()
        .without_projector()
        .without_query_api();
    let generator = stopped_services.start().await;
    let (writer, first) = new_key(&generator, &["--name", "players", "--scopes", "write"]);
    let limited = [
        "--name",
        "dashboards",
        "--scopes",
        "read",
        "--requests-per-second",
        "3",
    ];
    let (reader, second) = new_key(&generator, &limited);
    fs::write(&file, first + &second).unwrap();
    let keys = file.to_str().unwrap();
    let app = TestApp::builder()
        .env("AUTH_API_KEYS_FILE", keys)
        .start()
        .await;
    let (writer, reader) = (("x-api-key", &*writer), ("x-api-key", &*reader));

    let position = append(&app, &pause("p", "ann"), writer)
        .await
        .expect_status(202);
    let position = position.positions()[0];
    let path = format!("/stats/playback/p?after={position}");
    let answer = get(app.queries(), &path, reader).await.expect_status(200);
    assert_eq!(answer.json()["user_id"], "ann");
    assert!(
        answer.headers["cache-control"]
            .to_str()
            .unwrap()
            .starts_with("private"),
        "{answer:?}"
    );

    let rejected = append(&app, &pause("p", "ann"), reader)
        .await
        .expect_status(403);
    assert_eq!(rejected.json()["type"], "/problems/forbidden");
    assert_eq!(
        get(app.queries(), "/stats/playback/p", writer).await.status,
        403
    );
    let rejected = append(&app, &pause("p", "ann"), ("x-api-key", "ess_wrong")).await;
    let rejected = rejected.expect_status(401);
    assert_eq!(rejected.json()["type"], "/problems/unauthenticated");
    for http in [app.commands(), app.queries(), app.projector.http()] {
        assert_eq!(http.get("/metrics").await.status, 401);
        assert_eq!(http.get("/health/live").await.status, 200);
    }
    assert_eq!(app.commands().get("/openapi.json").await.status, 200);
    assert_eq!(app.queries().get("/docs").await.status, 200);

    // The rate is three per second, and a request takes less than a second: 200 requests exceed rate and burst.
    let mut rejected = None;
    for _ in 0..200 {
        let answer = get(app.queries(), "/projection", reader).await;
        assert_eq!(answer.headers["ratelimit-limit"], "3");
        if answer.status == 429 {
            rejected = Some(answer);
            break;
        }
    }
    let rejected = rejected.expect("200 requests exceed three per second");
    assert_eq!(rejected.json()["type"], "/problems/rate-limited");
    assert_eq!(rejected.headers["retry-after"], "1");
    assert_eq!(rejected.headers["ratelimit-remaining"], "0");
    assert_eq!(append(&app, &pause("p", "ann"), writer).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_user_is_restricted_to_that_user() {
    let app = TestApp::builder()
        .env("AUTH_JWT_HS256_SECRET", SECRET)
        .env("AUTH_JWT_AUDIENCE", "ess")
        .env("AUTH_JWT_SUB_IS_USER", "true")
        .start()
        .await;
    let (ann, bob) = (token_of("ann"), token_of("bob"));
    let (ann, bob) = (("authorization", &*ann), ("authorization", &*bob));

    let appended = append(&app, &pause("of-ann", "ann"), ann)
        .await
        .expect_status(202);
    let position = appended.positions()[0];
    let rejected = append(&app, &pause("of-bob", "bob"), ann)
        .await
        .expect_status(403);
    assert_eq!(rejected.json()["errors"][0]["pointer"], "/user_id");
    let mixed = json!([pause("a2", "ann"), pause("b2", "bob")]);
    let mixed = append(&app, &mixed, ann).await.expect_status(207);
    assert_eq!(mixed.json()["appended"], 1);
    assert_eq!(mixed.json()["items"][1]["problem"]["status"], 403);
    assert_eq!(
        mixed.json()["items"][1]["problem"]["errors"][0]["pointer"],
        "/1/user_id"
    );

    let path = format!("/stats/playback/of-ann?after={position}");
    assert_eq!(get(app.queries(), &path, ann).await.status, 200);
    let hidden = get(app.queries(), &path, bob).await.expect_status(404);
    let unknown = get(app.queries(), "/stats/playback/nowhere", bob).await;
    let unknown = unknown.expect_status(404).text.replace("nowhere", "of-ann");
    assert_eq!(
        hidden.text, unknown,
        "hidden and unknown get the same response"
    );
    let own = get(app.queries(), "/events?user_id=ann", ann).await;
    assert_eq!(own.status, 200);
    for path in [
        "/events",
        "/events?user_id=bob",
        "/stats/top?of=tracks",
        "/stats/user/bob",
    ] {
        assert_eq!(get(app.queries(), path, ann).await.status, 403);
    }

    let expired = get_current_timestamp() - 3_600;
    let expired = token(&json!({"sub": "ann", "aud": "ess", "exp": expired, "scope": "write"}));
    let rejected = append(&app, &pause("late", "ann"), ("authorization", &expired)).await;
    let detail = rejected.expect_status(401).json()["detail"].to_string();
    assert!(detail.contains("expired"), "{detail}");
}
