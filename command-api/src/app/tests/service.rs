//! Everything that is not about items.

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
async fn the_predecessors_own_paths_answer_as_they_did() {
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
async fn an_unknown_path_is_404_and_an_unknown_method_405_with_the_known_ones() {
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
        let told = Reply::of(service.client.delete(path).send().await).await;
        told.assert_problem(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "");
        assert_eq!(told.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn a_parameter_that_cannot_be_read_is_400() {
    let told = service(&[])
        .post_json("/commands?all_or_nothing=maybe", &progress("e"))
        .await;
    told.assert_problem(StatusCode::BAD_REQUEST, "bad-request", "all_or_nothing");
}

#[tokio::test]
async fn the_document_names_every_command_and_every_answer() {
    let document = get("/openapi.json").await.body;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let commands = schemas["Command"]["oneOf"].as_array().unwrap();
    assert_eq!(commands.len(), 10);
    let of_both = [
        "202", "207", "400", "401", "403", "408", "413", "415", "422", "429", "431", "500", "503",
        "504",
    ];
    for (path, own) in [("/commands", None), ("/events", Some("200"))] {
        let answers = document["paths"][path]["post"]["responses"]
            .as_object()
            .unwrap();
        let statuses: Vec<_> = answers.keys().map(String::as_str).collect();
        let expected: Vec<_> = own.into_iter().chain(of_both).collect();
        assert_eq!(statuses, expected, "{path}");
    }
    let progress = &schemas["ReportProgress"];
    assert_eq!(progress["properties"]["from_ms"]["type"], "integer");
    assert_eq!(progress["example"]["type"], "ReportProgress");
}

#[tokio::test]
async fn the_document_refers_only_to_what_it_has() {
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
async fn the_document_can_be_browsed() {
    for path in ["/docs", "/docs/"] {
        let told = get(path).await;
        assert_eq!(
            (told.status, told.header("content-type")),
            (200, Some("text/html"))
        );
        assert!(told.body.as_str().unwrap().contains("SwaggerUIBundle"));
    }
}

#[tokio::test]
async fn the_last_request_ends_the_service() {
    let served = CancellationToken::new();
    let log = Arc::new(FakeProducer::default());
    let (routes, _) = routes(&read(&[]).unwrap(), log, &served).unwrap();
    assert!(!served.is_cancelled());
    drop(routes);
    assert!(served.is_cancelled());
}
