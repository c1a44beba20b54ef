//! API keys: which are known, their scopes, their rate limits.

use super::*;

/// SHA-256 of "secret-1" and "secret-2" (`printf %s secret-1 | sha256sum`).
const KEYS: &str = r#"
[[key]]
name = "players"
sha256 = "f7e7c36e458e80e6b6a2c67d0a9ec09bd718dadd7bfa8d6bf6e7ad526e46c2f7"
scopes = ["write"]

[[key]]
name = "dashboards"
sha256 = "f4b6bb6548129dacf11c1a9c4dffffefd4aa6b21fcf4e9754cc03b731cbe7c25"
scopes = ["read"]
requests_per_second = 1
burst = 2
"#;

const WRITER: (&str, &str) = ("x-api-key", "secret-1");
const READER: (&str, &str) = ("x-api-key", "secret-2");

async fn pass_with(method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
    pass(&gate(KEYS, None), request(method, path, headers)).await
}

#[tokio::test]
async fn a_key_is_admitted_where_its_scope_allows() {
    let (status, text) = pass_with(Method::POST, "/commands", &[WRITER]).await;
    assert_eq!((status, &*text), (StatusCode::OK, "players [write]"));
    let (status, text) = pass_with(Method::GET, "/stats/top", &[READER]).await;
    assert_eq!((status, &*text), (StatusCode::OK, "dashboards [read]"));
    for (method, path, key, scope) in [
        (Method::GET, "/metrics", WRITER, "read"),
        (Method::POST, "/commands", READER, "write"),
    ] {
        let (status, text) = pass_with(method, path, &[key]).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains(&format!("needs the scope {scope}")), "{text}");
    }
}

#[tokio::test]
async fn a_key_can_be_sent_as_a_bearer() {
    let bearer = [("authorization", "bearer secret-1")];
    let (status, _) = pass_with(Method::POST, "/commands", &bearer).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn requests_without_one_known_key_are_rejected() {
    let none: &[(&str, &str)] = &[];
    for (headers, why) in [
        (none, "no credentials"),
        (&[("x-api-key", "secret-3")], "unknown API key"),
        (&[("x-api-key", "")], "unknown API key"),
        (&[("authorization", "Basic c2VjcmV0LTE6")], "is not Bearer"),
        (&[("authorization", "secret-1")], "is not Bearer"),
        (&[("authorization", "Bearer a.b.c")], "unknown API key"),
        (
            &[WRITER, ("authorization", "Bearer secret-1")],
            "more than one",
        ),
        (&[WRITER, WRITER], "more than one"),
    ] {
        let (status, text) = pass_with(Method::POST, "/commands", headers).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{headers:?}");
        assert!(text.contains(why), "{headers:?}: {text}");
    }
}

#[tokio::test]
async fn public_paths_need_no_credentials_and_ignore_wrong_ones() {
    for path in [
        "/",
        "/docs",
        "/openapi.json",
        "/health/live",
        "/health/ready",
    ] {
        let wrong = [("x-api-key", "wrong")];
        let (status, text) = pass_with(Method::GET, path, &wrong).await;
        assert_eq!((status, &*text), (StatusCode::OK, "no caller"), "{path}");
    }
}

#[tokio::test]
async fn a_gate_without_keys_and_tokens_is_open() {
    let request = request(Method::POST, "/commands", &[]);
    assert_eq!(pass(&Gate::default(), request).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_rejection_has_a_challenge() {
    for (headers, challenge) in [
        (&[][..], r#"Bearer realm="ess""#),
        (
            &[("x-api-key", "x")],
            r#"Bearer realm="ess", error="invalid_token""#,
        ),
        (
            &[READER],
            r#"Bearer realm="ess", error="insufficient_scope", scope="write""#,
        ),
    ] {
        let request = request(Method::POST, "/commands", headers);
        let response = gate(KEYS, None).pass(&echo_caller(), request).await;
        assert_eq!(response.header("www-authenticate"), Some(challenge));
    }
}

#[tokio::test]
async fn a_rate_limit_applies_to_its_key_only() {
    let gate = gate(KEYS, None);
    let top_request = || request(Method::GET, "/stats/top", &[READER]);
    for remaining in ["1", "0"] {
        let response = gate.pass(&echo_caller(), top_request()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.header("ratelimit-limit"), Some("2"));
        assert_eq!(response.header("ratelimit-remaining"), Some(remaining));
    }
    let response = gate.pass(&echo_caller(), top_request()).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.header("ratelimit-reset"), Some("1"));
    let other = request(Method::POST, "/commands", &[WRITER]);
    let response = gate.pass(&echo_caller(), other).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.header("ratelimit-limit"), None);
}

#[test]
fn an_error_in_a_key_file_names_the_entry_and_the_problem() {
    let hash = "f7e7c36e458e80e6b6a2c67d0a9ec09bd718dadd7bfa8d6bf6e7ad526e46c2f7";
    let entry = |name: &str, hash: &str, more: &str| {
        format!("[[key]]\nname = \"{name}\"\nsha256 = \"{hash}\"\n{more}\n")
    };
    let write = r#"scopes = ["write"]"#;
    for (file, why) in [
        (String::new(), "no [[key]]"),
        (entry("a", "abc", write), "64 hexadecimal"),
        (
            entry("a", hash, r#"scopes = ["wriet"]"#),
            r#"unknown scope "wriet""#,
        ),
        (entry("a", hash, "scopes = []"), "must not be empty"),
        (
            entry("a", hash, &format!("{write}\nburst = 3")),
            "burst needs requests_per_second",
        ),
        (
            entry("a", hash, &format!("{write}\nrequests_per_second = 0")),
            "nonzero",
        ),
        (
            entry("a", hash, &format!("{write}\nkey = \"x\"")),
            "unknown field",
        ),
        (
            entry("a", hash, write) + &entry("a", &hash.replace('5', "6"), write),
            "not unique",
        ),
        (
            entry("a", hash, write) + &entry("b", hash, write),
            "another entry has the same sha256",
        ),
    ] {
        let error = ApiKeys::of(File::from_str(&file, FileFormat::Toml)).unwrap_err();
        assert!(error.to_string().contains(why), "{file}: {error}");
    }
}
