//! Everything except appending.

use super::*;

async fn get(path: &str) -> Reply {
    let settings = [
        ("KAFKA_BROKERS", "kafka-0:9092"),
        ("KAFKA_TOPIC", "facts"),
        ("CLICKHOUSE_URL", "http://ess:secret@ch:8123"),
    ];
    Reply::of(service(&settings).client.get(path).send().await).await
}

#[tokio::test]
async fn the_predecessors_paths_return_the_predecessors_responses() {
    assert_eq!(
        get("/").await.body,
        json!({"message": "ESS Service is running"})
    );
    let config = json!({"kafka": "kafka-0:9092", "topic": "facts", "clickhouse": "ch:8123"});
    for path in ["/config", "/config/"] {
        assert_eq!(get(path).await.body, config);
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_an_unsupported_method_405_with_allow() {
    get("/command")
        .await
        .assert_problem(StatusCode::NOT_FOUND, "not-found", "");
    let service = service(&[]);
    for (path, allow) in [
        ("/commands", "POST"),
        ("/events/", "GET, HEAD, POST"),
        ("/config", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
    ] {
        let reply = Reply::of(service.client.delete(path).send().await).await;
        reply.assert_problem(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "");
        assert_eq!(reply.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn an_invalid_parameter_is_400() {
    let reply = service(&[])
        .post_json("/commands?all_or_nothing=maybe", &progress("e"))
        .await;
    reply.assert_problem(StatusCode::BAD_REQUEST, "bad-request", "all_or_nothing");
}

#[tokio::test]
async fn the_document_has_every_command_and_every_status() {
    let document = get("/openapi.json").await.body;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let commands = schemas["Command"]["oneOf"].as_array().unwrap();
    assert_eq!(commands.len(), 10);
    let of_both = [
        "202", "207", "400", "401", "403", "408", "413", "415", "422", "429", "431", "500", "503",
        "504",
    ];
    for (path, own) in [("/commands", None), ("/events", Some("200"))] {
        let responses = document["paths"][path]["post"]["responses"]
            .as_object()
            .unwrap();
        let statuses: Vec<_> = responses.keys().map(String::as_str).collect();
        let expected: Vec<_> = own.into_iter().chain(of_both).collect();
        assert_eq!(statuses, expected, "{path}");
    }
    let progress = &schemas["ReportProgress"];
    assert_eq!(progress["properties"]["from_ms"]["type"], "integer");
    assert_eq!(progress["example"]["type"], "ReportProgress");
}

#[tokio::test]
async fn every_reference_in_the_document_resolves() {
    let document = get("/openapi.json").await.body;
    let text = document.to_string();
    let references = text.split(r##""$ref":"#/components/schemas/"##).skip(1);
    let names: Vec<_> = references
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_docs_page_shows_swagger_ui() {
    for path in ["/docs", "/docs/"] {
        let reply = get(path).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("text/html"))
        );
        assert!(reply.body.as_str().unwrap().contains("SwaggerUIBundle"));
    }
}

#[tokio::test]
async fn dropping_the_routes_cancels_the_drained_token() {
    let drained = CancellationToken::new();
    let producer = Arc::new(FakeProducer::default());
    let (routes, _) = routes(&read(&[]).unwrap(), producer, &drained).unwrap();
    assert!(!drained.is_cancelled());
    drop(routes);
    assert!(drained.is_cancelled());
}
