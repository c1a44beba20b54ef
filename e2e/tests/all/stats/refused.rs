//! Invalid questions about many playbacks: each problem names the parameter and what is allowed.

use ess_e2e::Answer;
use serde_json::Value;

use super::dataset::dataset;
use crate::stored::encoded;

/// The first error of the problem, which must name this parameter.
fn error_of(answer: Answer, pointer: &str) -> Value {
    let problem = answer.expect_status(422).json();
    assert_eq!(problem["type"], "/problems/invalid-query", "{problem}");
    let error = problem["errors"][0].clone();
    assert_eq!(error["pointer"], pointer, "{problem}");
    error
}

async fn assert_refused(url: &str, pointer: &str, allowed: &str) {
    let answer = dataset().await.app.get(url).await;
    let error = error_of(answer, pointer);
    let found = error["allowed"].as_str().unwrap();
    assert!(found.contains(allowed), "{url}: {error}");
}

fn report(parameter: &str, value: &str) -> String {
    format!("/stats/report?metrics=plays&{parameter}={}", encoded(value))
}

#[tokio::test]
async fn invalid_parameters_of_a_report_are_refused_with_the_allowed_values() {
    for (url, pointer, allowed) in [
        ("/stats/report".to_owned(), "?metrics", "peak_concurrent"),
        (
            "/stats/report?metrics=likes".to_owned(),
            "?metrics",
            "attempts, plays, streams",
        ),
        (
            "/stats/report?metrics=".to_owned(),
            "?metrics",
            "attempts, plays, streams",
        ),
        (
            "/stats/report?metrics=plays,plays".to_owned(),
            "?metrics",
            "attempts, plays, streams",
        ),
        (
            report("dimensions", "city"),
            "?dimensions",
            "minute, hour, day, week, month, track",
        ),
        (
            report("dimensions", "day,"),
            "?dimensions",
            "minute, hour, day, week, month, track",
        ),
        (
            report("filters", "city==Bonn"),
            "?filters",
            "country, device, platform",
        ),
        (report("filters", "country~DE"), "?filters", "==, != or in"),
        (report("filters", "country<DE"), "?filters", "==, != or in"),
        (report("filters", "played_ms>=long"), "?filters", ">="),
        (report("filters", "played_ms>=-1"), "?filters", ">="),
        (report("filters", "played_ms in 1,2"), "?filters", ">="),
        (
            report("filters", "country==\"DE"),
            "?filters",
            "JSON string",
        ),
        (report("filters", "country==DE,US"), "?filters", "in"),
        (report("filters", "country==DE;"), "?filters", "joined by ;"),
        (report("filters", ""), "?filters", "joined by ;"),
        (
            report("timezone", "Mars/Olympus"),
            "?timezone",
            "Europe/Berlin",
        ),
        (report("timezone", "+02:00"), "?timezone", "Europe/Berlin"),
        (report("limit", "0"), "?limit", "1 to 10000"),
        (report("limit", "10001"), "?limit", "1 to 10000"),
        (report("from", "yesterday"), "?from", "RFC 3339"),
        (report("to", "1"), "?to", "RFC 3339"),
        (report("approx", "maybe"), "?approx", "true or false"),
        (report("totals", "yes"), "?totals", "true or false"),
        (report("cursor", "abc"), "?cursor", "cursor"),
        (report("after", "x"), "?after", "partition:offset"),
        (report("metric", "plays"), "?metric", "metrics"),
    ] {
        assert_refused(&url, pointer, allowed).await;
    }
}

#[tokio::test]
async fn invalid_parameters_of_the_other_paths_are_refused_with_the_allowed_values() {
    for (url, pointer, allowed) in [
        (
            "/stats/top?by=plays".to_owned(),
            "?of",
            "tracks, users, countries",
        ),
        (
            "/stats/top?of=cities".to_owned(),
            "?of",
            "tracks, users, countries",
        ),
        (
            "/stats/top?of=tracks&by=likes".to_owned(),
            "?by",
            "attempts, plays",
        ),
        (
            "/stats/top?of=tracks&metrics=likes".to_owned(),
            "?metrics",
            "attempts, plays",
        ),
        (
            "/stats/top?of=tracks&limit=1001".to_owned(),
            "?limit",
            "1 to 1000",
        ),
        (
            "/stats/top?of=tracks&sort=plays".to_owned(),
            "?sort",
            "of, by",
        ),
        (
            "/stats/playbacks?state=happy".to_owned(),
            "?state",
            "playing, paused, finished, failed, abandoned",
        ),
        ("/stats/playbacks?limit=0".to_owned(), "?limit", "1 to 1000"),
        (
            "/stats/playbacks?cursor=abc".to_owned(),
            "?cursor",
            "cursor",
        ),
        ("/stats/track/t?limit=1".to_owned(), "?limit", "from"),
        (
            "/stats/track/t/retention?bucket=1".to_owned(),
            "?bucket",
            "from",
        ),
        ("/stats/user/u?to=x".to_owned(), "?to", "RFC 3339"),
    ] {
        assert_refused(&url, pointer, allowed).await;
    }
}

#[tokio::test]
async fn invalid_combinations_are_refused() {
    let backwards = "from=2026-10-25T00:00:00Z&to=2026-10-24T00:00:00Z";
    for (url, pointer, allowed) in [
        (report("sort", "streams"), "?sort", "plays"),
        (report("sort", "-day"), "?sort", "plays"),
        (
            report("dimensions", "day,hour"),
            "?dimensions",
            "one of minute, hour, day, week, month",
        ),
        (
            report("dimensions", "track,user,plan,device,country"),
            "?dimensions",
            "at most 4",
        ),
        (
            format!("/stats/report?metrics=plays&{backwards}"),
            "?to",
            "later",
        ),
        (format!("/stats/top?of=tracks&{backwards}"), "?to", "later"),
        (format!("/stats/playbacks?{backwards}"), "?to", "later"),
        (format!("/stats/track/t?{backwards}"), "?to", "later"),
        (
            format!("/stats/track/t/retention?{backwards}"),
            "?to",
            "later",
        ),
        (format!("/stats/user/u?{backwards}"), "?to", "later"),
        (
            "/stats/report?metrics=plays&metrics=streams".to_owned(),
            "?metrics",
            "once",
        ),
    ] {
        assert_refused(&url, pointer, allowed).await;
    }
}

#[tokio::test]
async fn all_errors_are_reported_at_once() {
    let url = "/stats/report?metrics=likes&dimensions=city&filters=x&from=y&timezone=z&limit=0&sort=!&colour=red";
    let problem = dataset().await.app.get(url).await.expect_status(422).json();
    let errors = problem["errors"].as_array().unwrap();
    let mut pointers: Vec<_> = errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "?colour",
            "?dimensions",
            "?filters",
            "?from",
            "?limit",
            "?metrics",
            "?sort",
            "?timezone"
        ]
    );
}
