//! JSON Web Tokens: which are accepted.

use std::{
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, EncodingKey, get_current_timestamp,
    jwk::{AlgorithmParameters, Jwk},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    signed::{SigningKey, claims},
    *,
};
use crate::{
    auth::jwks::Jwks,
    http::{self, HttpConfig, HttpLimits},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn rules() -> TokenRules {
    TokenRules {
        audience: "ess".to_owned(),
        leeway: Duration::from_secs(30),
        ..TokenRules::default()
    }
}

fn gate_with_secret(rules: TokenRules) -> Gate {
    gate("", Some(Tokens::new(rules, Some(SECRET), None)))
}

fn gate_with_file(file: &Path) -> Gate {
    gate_with_jwks(JwksSource::File(file.to_owned()))
}

fn gate_with_jwks(source: JwksSource) -> Gate {
    let jwks = Jwks::new(source, Duration::from_mins(5)).unwrap();
    gate("", Some(Tokens::new(rules(), None, Some(Arc::new(jwks)))))
}

fn publish(file: &Path, keys: &[&SigningKey]) {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    fs::write(file, json!({ "keys": keys }).to_string()).unwrap();
}

async fn append(gate: &Gate, token: &str) -> (StatusCode, String) {
    let bearer = format!("Bearer {token}");
    let request = request(Method::POST, "/commands", &[("authorization", &bearer)]);
    pass(gate, request).await
}

#[tokio::test]
async fn a_valid_token_is_admitted_with_its_scopes() {
    let gate = gate_with_secret(rules());
    let token = SigningKey::hs256(SECRET).token(&claims(&json!({})));
    let (status, text) = append(&gate, &token).await;
    assert_eq!((status, &*text), (StatusCode::OK, "ann [write]"));
}

#[tokio::test]
async fn an_invalid_claim_is_rejected_and_named() {
    let gate = gate_with_secret(TokenRules {
        issuer: Some("https://id.example".to_owned()),
        ..rules()
    });
    let now = get_current_timestamp();
    let valid = json!({"iss": "https://id.example"});
    let key = SigningKey::hs256(SECRET);
    let (status, _) = append(&gate, &key.token(&claims(&valid))).await;
    assert_eq!(status, StatusCode::OK);
    for (changed, why) in [
        (json!({"exp": now - 31}), "expired"),
        (json!({"exp": null}), "has no exp"),
        (json!({"nbf": now + 60}), "not valid yet"),
        (json!({"aud": "another"}), "another audience"),
        (json!({"aud": null}), "has no aud"),
        (json!({"iss": "https://evil.example"}), "another issuer"),
        (json!({"iss": null}), "has no iss"),
    ] {
        let mut all = claims(&json!({"iss": "https://id.example"}));
        for (name, value) in claims(&changed).as_object().unwrap() {
            all[name] = value.clone();
        }
        for (name, value) in changed.as_object().unwrap() {
            if value.is_null() {
                all.as_object_mut().unwrap().remove(name);
            }
        }
        let (status, text) = append(&gate, &key.token(&all)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{changed}");
        assert!(text.contains(why), "{changed}: {text}");
    }
}

#[tokio::test]
async fn clocks_can_differ_by_the_leeway() {
    let now = get_current_timestamp();
    for changed in [json!({"exp": now - 20}), json!({"nbf": now + 20})] {
        let token = SigningKey::hs256(SECRET).token(&claims(&changed));
        assert_eq!(
            append(&gate_with_secret(rules()), &token).await.0,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn a_token_without_a_scope_claim_has_the_default_scopes() {
    let token = SigningKey::hs256(SECRET).token(&claims(&json!({"scope": null})));
    let (status, _) = append(&gate_with_secret(rules()), &token).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let default_scopes = "write".parse().unwrap();
    let rules = TokenRules {
        default_scopes,
        ..rules()
    };
    assert_eq!(
        append(&gate_with_secret(rules), &token).await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_issuer_can_rotate_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let (old, new) = (SigningKey::rs256("old"), SigningKey::es256("new"));
    let gate = gate_with_file(&file);
    let (by_old, by_new) = (
        old.token(&claims(&json!({}))),
        new.token(&claims(&json!({}))),
    );
    let (status, _) = append(&gate, &by_old).await;
    assert_eq!(
        status,
        StatusCode::SERVICE_UNAVAILABLE,
        "no keys are loaded"
    );

    publish(&file, &[&old]);
    pass_reload_interval().await;
    assert_eq!(append(&gate, &by_old).await.0, StatusCode::OK);
    pass_reload_interval().await;
    let (status, text) = append(&gate, &by_new).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(text.contains("unknown signing key"), "{text}");

    publish(&file, &[&new]);
    pass_reload_interval().await;
    assert_eq!(append(&gate, &by_new).await.0, StatusCode::OK);
    assert_eq!(append(&gate, &by_old).await.0, StatusCode::UNAUTHORIZED);

    fs::remove_file(&file).unwrap();
    pass_reload_interval().await;
    assert_eq!(
        append(&gate, &by_new).await.0,
        StatusCode::OK,
        "the last keys stay in use"
    );
}

#[tokio::test]
async fn keys_are_fetched_from_the_url_of_the_issuer() {
    let keys = Arc::new(Mutex::new(Vec::<Jwk>::new()));
    let fetches = Arc::new(AtomicUsize::new(0));
    let published = {
        let (keys, fetches) = (Arc::clone(&keys), Arc::clone(&fetches));
        make_sync(move |_| {
            fetches.fetch_add(1, Ordering::Relaxed);
            json!({ "keys": *keys.lock().unwrap() }).to_string()
        })
    };
    let config = HttpConfig {
        addr: "127.0.0.1:0".parse().unwrap(),
        limits: HttpLimits {
            max_connections: 10,
            max_header_bytes: 8_192,
            header_timeout: Duration::from_mins(1),
        },
        auth: AuthConfig::default(),
    };
    let listener = http::bind(&config).await.unwrap();
    let url = format!("http://{}/jwks.json", listener.addr());
    let stopping = CancellationToken::new();
    let issuer = tokio::spawn(listener.serve(published, stopping.clone(), Duration::from_secs(30)));

    let gate = gate_with_jwks(JwksSource::Url(url.parse().unwrap()));
    for key in [SigningKey::es256("first"), SigningKey::rs256("second")] {
        *keys.lock().unwrap() = vec![key.jwk()];
        pass_reload_interval().await;
        let (status, text) = append(&gate, &key.token(&claims(&json!({})))).await;
        assert_eq!(status, StatusCode::OK, "{text}");
    }
    assert_eq!(fetches.load(Ordering::Relaxed), 2);
    // Tokens with unknown keys do not each cause a fetch.
    let unknown = SigningKey::es256("unknown").token(&claims(&json!({})));
    for _ in 0..20 {
        assert_eq!(append(&gate, &unknown).await.0, StatusCode::UNAUTHORIZED);
    }
    assert!(fetches.load(Ordering::Relaxed) <= 3);
    stopping.cancel();
    issuer.await.unwrap().unwrap();
}

/// Advances the clock beyond the minimum time between reloads.
async fn pass_reload_interval() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_token_cannot_choose_its_verification() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let (rsa, ec) = (SigningKey::rs256("rsa"), SigningKey::es256("ec"));
    publish(&file, &[&rsa, &ec]);
    let AlgorithmParameters::RSA(public) = rsa.jwk().algorithm else {
        panic!("not RSA");
    };
    let claims = claims(&json!({}));
    let confused = |algorithm, key| {
        let id = "rsa";
        SigningKey { id, algorithm, key }.token(&claims)
    };
    // The public key as the secret of an HMAC.
    let by_modulus = EncodingKey::from_secret(public.n.as_bytes());
    let by_set = EncodingKey::from_secret(&fs::read(&file).unwrap());
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJhdWQiOiJlc3MiLCJleHAiOjQxMDI0NDQ4MDB9.";
    let mine = SigningKey::rs256("rsa").token(&claims);
    let others = SigningKey::es256("ec").token(&claims);
    let gate = gate_with_file(&file);
    for token in [
        confused(Algorithm::HS256, by_modulus),
        confused(Algorithm::HS256, by_set),
        confused(Algorithm::RS512, rsa.key.clone()),
        unsigned.to_owned(),
        mine,
        others,
        "a.b.c".to_owned(),
    ] {
        let (status, text) = append(&gate, &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{token}: {text}");
    }
    let good = rsa.token(&claims);
    assert_eq!(append(&gate, &good).await.0, StatusCode::OK);
    // A valid token with other claims under the same signature.
    let (head, signature) = (
        good.split('.').next().unwrap(),
        good.rsplit('.').next().unwrap(),
    );
    let forged =
        format!("{head}.eyJzdWIiOiJib2IiLCJhdWQiOiJlc3MiLCJleHAiOjQxMDI0NDQ4MDB9.{signature}");
    assert_eq!(append(&gate, &forged).await.0, StatusCode::UNAUTHORIZED);
    let hs512 = SigningKey {
        id: "",
        algorithm: Algorithm::HS512,
        key: EncodingKey::from_secret(SECRET.as_bytes()),
    };
    let (status, _) = append(&gate_with_secret(rules()), &hs512.token(&claims)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_can_be_restricted_to_its_user() {
    let rules = TokenRules {
        sub_is_user: true,
        ..rules()
    };
    let tokens = Tokens::new(rules.clone(), Some(SECRET), None);
    let key = SigningKey::hs256(SECRET);
    let caller = tokens
        .caller(&key.token(&claims(&json!({}))))
        .await
        .unwrap();
    assert_eq!(caller.only_user.unwrap().as_str(), "ann");
    for sub in [json!(null), json!(""), json!("a b")] {
        let token = key.token(&claims(&json!({"sub": sub})));
        let (status, _) = append(&gate_with_secret(rules.clone()), &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{sub}");
    }
}
