//! Compressed bodies: their items are appended, and limits apply to the decompressed size.

use async_compression::tokio::write::{GzipEncoder, ZstdEncoder};
use ess_e2e::TestApp;
use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tokio::io::AsyncWriteExt;

use super::*;

/// More than the default limit of a body.
const ZEROS: usize = 10 * 1024 * 1024;

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzipEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZstdEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn post(app: &TestApp, coding: &str, body: Vec<u8>) -> Answer {
    let request = app.commands().request(Method::POST, "/commands");
    let request = request
        .header(CONTENT_TYPE, "application/x-ndjson")
        .header(CONTENT_ENCODING, coding);
    app.commands().send(request.body(body)).await
}

#[tokio::test]
async fn the_items_of_a_compressed_body_are_appended() {
    let app = command_api_alone().start().await;
    let lines = |name: &str| {
        let lines: Vec<_> = (0..500)
            .map(|n| progress(&format!("{name}-{n}")).to_string())
            .collect();
        lines.join("\n").into_bytes()
    };
    // Concatenated gzip members are one body.
    let (one, two) = (lines("one"), lines("two"));
    let parts = [gzip(&one).await, gzip(b"\n").await, gzip(&two).await].concat();
    let answers = [
        post(&app, "gzip", parts).await,
        post(&app, "zstd", zstd(&lines("three")).await).await,
    ];
    let answers = answers.map(|answer| answer.expect_status(202));
    let all: Vec<_> = answers.iter().flat_map(appended).collect();
    let records = app.topic.records().await;
    assert_eq!((all.len(), records.len()), (1_500, 1_500));
    assert_in_log(&records, &all);
}

#[tokio::test]
async fn a_decompression_bomb_is_413_and_takes_no_more_memory_than_a_body() {
    let app = command_api_alone().start().await;
    let zeros = vec![0; ZEROS];
    let bombs = [("gzip", gzip(&zeros).await), ("zstd", zstd(&zeros).await)];
    let _ = post(&app, "gzip", gzip(b"").await).await.expect_status(202);
    let before = app.command_api.peak_memory();
    for (coding, bomb) in bombs {
        assert!(bomb.len() < ZEROS / 500, "{coding}: {} bytes", bomb.len());
        for _ in 0..10 {
            let _ = post(&app, coding, bomb.clone()).await.expect_status(413);
        }
    }
    let more = app.command_api.peak_memory() - before;
    // One body at the limit, the window of a decoder, and free memory of the allocator.
    assert!(more < 48 * 1024 * 1024, "{more} bytes more");
    assert!(app.topic.records().await.is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_in_its_content_coding_is_400() {
    let app = command_api_alone().start().await;
    let line = progress("x").to_string().into_bytes();
    let mut cut = gzip(&line).await;
    cut.truncate(cut.len() - 1);
    for (coding, body) in [("gzip", line.clone()), ("zstd", line), ("gzip", cut)] {
        let problem = post(&app, coding, body).await.expect_status(400).json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(coding), "{detail}");
    }
    assert!(app.topic.records().await.is_empty());
}
