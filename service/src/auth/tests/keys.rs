//! API keys: which are known, what they allow, how often.

use super::*;

/// SHA-256 of "secret-1" and "secret-2", as `printf %s secret-1 | sha256sum` says.
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

async fn asked(method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
    told(&gate(KEYS, None), request(method, path, headers)).await
}

#[tokio::test]
async fn a_key_passes_where_its_scope_allows() {
    let (status, text) = asked(Method::POST, "/commands", &[WRITER]).await;
    assert_eq!((status, &*text), (StatusCode::OK, "players [write]"));
    let (status, text) = asked(Method::GET, "/stats/top", &[READER]).await;
    assert_eq!((status, &*text), (StatusCode::OK, "dashboards [read]"));
    for (method, path, key, scope) in [
        (Method::GET, "/metrics", WRITER, "read"),
        (Method::POST, "/commands", READER, "write"),
    ] {
        let (status, text) = asked(method, path, &[key]).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains(&format!("needs the scope {scope}")), "{text}");
    }
}

#[tokio::test]
async fn a_key_may_come_as_a_bearer() {
    let bearer = [("authorization", "bearer secret-1")];
    let (status, _) = asked(Method::POST, "/commands", &bearer).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_known_key_nobody_passes() {
    let none: &[(&str, &str)] = &[];
    for (headers, why) in [
        (none, "no credentials"),
        (&[("x-api-key", "secret-3")], "is not known"),
        (&[("x-api-key", "")], "is not known"),
        (&[("authorization", "Basic c2VjcmV0LTE6")], "is not Bearer"),
        (&[("authorization", "secret-1")], "is not Bearer"),
        (&[("authorization", "Bearer a.b.c")], "is not known"),
        (
            &[WRITER, ("authorization", "Bearer secret-1")],
            "more than one",
        ),
        (&[WRITER, WRITER], "more than one"),
    ] {
        let (status, text) = asked(Method::POST, "/commands", headers).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{headers:?}");
        assert!(text.contains(why), "{headers:?}: {text}");
    }
}

#[tokio::test]
async fn what_is_open_takes_no_credentials_and_ignores_wrong_ones() {
    for path in [
        "/",
        "/docs",
        "/openapi.json",
        "/health/live",
        "/health/ready",
    ] {
        let wrong = [("x-api-key", "wrong")];
        let (status, text) = asked(Method::GET, path, &wrong).await;
        assert_eq!((status, &*text), (StatusCode::OK, "nobody"), "{path}");
    }
}

#[tokio::test]
async fn a_gate_without_keys_and_tokens_is_open() {
    let request = request(Method::POST, "/commands", &[]);
    assert_eq!(told(&Gate::default(), request).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_refusal_says_how_to_send_credentials() {
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
        let response = gate(KEYS, None).pass(&telling(), request).await;
        assert_eq!(response.header("www-authenticate"), Some(challenge));
    }
}

#[tokio::test]
async fn a_key_that_has_used_up_its_rate_waits_and_no_other() {
    let gate = gate(KEYS, None);
    let ask = || request(Method::GET, "/stats/top", &[READER]);
    for remaining in ["1", "0"] {
        let response = gate.pass(&telling(), ask()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.header("ratelimit-limit"), Some("2"));
        assert_eq!(response.header("ratelimit-remaining"), Some(remaining));
    }
    let response = gate.pass(&telling(), ask()).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(response.header("ratelimit-reset"), Some("1"));
    let other = request(Method::POST, "/commands", &[WRITER]);
    let response = gate.pass(&telling(), other).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.header("ratelimit-limit"), None);
}

#[test]
fn a_file_of_keys_that_cannot_be_used_says_which_key_and_why() {
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
            r#""wriet" is no scope"#,
        ),
        (entry("a", hash, "scopes = []"), "must not be empty"),
        (
            entry("a", hash, &format!("{write}\nburst = 3")),
            "without requests_per_second",
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
            "there twice",
        ),
        (
            entry("a", hash, write) + &entry("b", hash, write),
            "another name",
        ),
    ] {
        let refusal = ApiKeys::of(File::from_str(&file, FileFormat::Toml)).unwrap_err();
        assert!(refusal.to_string().contains(why), "{file}: {refusal}");
    }
}
