//! JSON Web Tokens: which are taken.

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
    signed::{Signing, claims},
    *,
};
use crate::{
    auth::jwks::Jwks,
    config::{AuthConfig, HttpConfig, HttpLimits},
    http,
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn rules() -> TokenRules {
    TokenRules {
        audience: "ess".to_owned(),
        leeway: Duration::from_secs(30),
        ..TokenRules::default()
    }
}

fn of_secret(rules: TokenRules) -> Gate {
    gate("", Some(Tokens::new(rules, Some(SECRET), None)))
}

fn of_file(file: &Path) -> Gate {
    of(JwksSource::File(file.to_owned()))
}

fn of(source: JwksSource) -> Gate {
    let jwks = Jwks::new(source, Duration::from_mins(5)).unwrap();
    gate("", Some(Tokens::new(rules(), None, Some(Arc::new(jwks)))))
}

fn publish(file: &Path, keys: &[&Signing]) {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    fs::write(file, json!({ "keys": keys }).to_string()).unwrap();
}

async fn append(gate: &Gate, token: &str) -> (StatusCode, String) {
    let bearer = format!("Bearer {token}");
    let request = request(Method::POST, "/commands", &[("authorization", &bearer)]);
    told(gate, request).await
}

#[tokio::test]
async fn a_token_in_order_passes_with_the_scopes_it_names() {
    let gate = of_secret(rules());
    let token = Signing::hs256(SECRET).token(&claims(&json!({})));
    let (status, text) = append(&gate, &token).await;
    assert_eq!((status, &*text), (StatusCode::OK, "ann [write]"));
}

#[tokio::test]
async fn a_token_out_of_order_is_refused_for_that() {
    let gate = of_secret(TokenRules {
        issuer: Some("https://id.example".to_owned()),
        ..rules()
    });
    let now = get_current_timestamp();
    let in_order = json!({"iss": "https://id.example"});
    let key = Signing::hs256(SECRET);
    let (status, _) = append(&gate, &key.token(&claims(&in_order))).await;
    assert_eq!(status, StatusCode::OK);
    for (changed, why) in [
        (json!({"exp": now - 31}), "expired"),
        (json!({"exp": null}), "has no exp"),
        (json!({"nbf": now + 60}), "not valid yet"),
        (json!({"aud": "another"}), "another audience"),
        (json!({"aud": null}), "has no aud"),
        (json!({"iss": "https://evil.example"}), "another issued"),
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
async fn clocks_may_differ_by_the_leeway() {
    let now = get_current_timestamp();
    for changed in [json!({"exp": now - 20}), json!({"nbf": now + 20})] {
        let token = Signing::hs256(SECRET).token(&claims(&changed));
        assert_eq!(append(&of_secret(rules()), &token).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_token_without_a_scope_claim_has_the_configured_ones() {
    let token = Signing::hs256(SECRET).token(&claims(&json!({"scope": null})));
    let (status, _) = append(&of_secret(rules()), &token).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let default_scopes = "write".parse().unwrap();
    let rules = TokenRules {
        default_scopes,
        ..rules()
    };
    assert_eq!(append(&of_secret(rules), &token).await.0, StatusCode::OK);
}

#[tokio::test]
async fn tokens_by_public_keys_are_taken_and_the_issuer_may_rotate_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let (old, new) = (Signing::rs256("old"), Signing::es256("new"));
    let gate = of_file(&file);
    let (by_old, by_new) = (
        old.token(&claims(&json!({}))),
        new.token(&claims(&json!({}))),
    );
    let (status, _) = append(&gate, &by_old).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "there are no keys");

    publish(&file, &[&old]);
    a_moment_later().await;
    assert_eq!(append(&gate, &by_old).await.0, StatusCode::OK);
    a_moment_later().await;
    let (status, text) = append(&gate, &by_new).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(text.contains("no key is known"), "{text}");

    publish(&file, &[&new]);
    a_moment_later().await;
    assert_eq!(append(&gate, &by_new).await.0, StatusCode::OK);
    assert_eq!(append(&gate, &by_old).await.0, StatusCode::UNAUTHORIZED);

    fs::remove_file(&file).unwrap();
    a_moment_later().await;
    assert_eq!(
        append(&gate, &by_new).await.0,
        StatusCode::OK,
        "the last known keys serve"
    );
}

#[tokio::test]
async fn keys_are_fetched_from_where_the_issuer_publishes_them() {
    let keys = Arc::new(Mutex::new(Vec::<Jwk>::new()));
    let asked = Arc::new(AtomicUsize::new(0));
    let published = {
        let (keys, asked) = (Arc::clone(&keys), Arc::clone(&asked));
        make_sync(move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
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
    let listening = http::bind(&config).await.unwrap();
    let url = format!("http://{}/jwks.json", listening.addr());
    let stopping = CancellationToken::new();
    let issuer =
        tokio::spawn(listening.serve(published, stopping.clone(), Duration::from_secs(30)));

    let gate = of(JwksSource::Url(url.parse().unwrap()));
    for key in [Signing::es256("first"), Signing::rs256("second")] {
        *keys.lock().unwrap() = vec![key.jwk()];
        a_moment_later().await;
        let (status, text) = append(&gate, &key.token(&claims(&json!({})))).await;
        assert_eq!(status, StatusCode::OK, "{text}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    // Whatever names unknown keys, the issuer is not asked for each.
    let unknown = Signing::es256("unknown").token(&claims(&json!({})));
    for _ in 0..20 {
        assert_eq!(append(&gate, &unknown).await.0, StatusCode::UNAUTHORIZED);
    }
    assert!(asked.load(Ordering::Relaxed) <= 3);
    stopping.cancel();
    issuer.await.unwrap().unwrap();
}

/// Later than keys are looked for again.
async fn a_moment_later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_token_does_not_choose_how_it_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let (rsa, ec) = (Signing::rs256("rsa"), Signing::es256("ec"));
    publish(&file, &[&rsa, &ec]);
    let AlgorithmParameters::RSA(public) = rsa.jwk().algorithm else {
        panic!("not RSA");
    };
    let claims = claims(&json!({}));
    let confused = |algorithm, key| {
        let id = "rsa";
        Signing { id, algorithm, key }.token(&claims)
    };
    // What everybody knows of the public key, as the secret of an HMAC.
    let by_modulus = EncodingKey::from_secret(public.n.as_bytes());
    let by_set = EncodingKey::from_secret(&fs::read(&file).unwrap());
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJhdWQiOiJlc3MiLCJleHAiOjQxMDI0NDQ4MDB9.";
    let mine = Signing::rs256("rsa").token(&claims);
    let others = Signing::es256("ec").token(&claims);
    let gate = of_file(&file);
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
    // Of a good token, other claims under the old signature.
    let (head, signature) = (
        good.split('.').next().unwrap(),
        good.rsplit('.').next().unwrap(),
    );
    let forged =
        format!("{head}.eyJzdWIiOiJib2IiLCJhdWQiOiJlc3MiLCJleHAiOjQxMDI0NDQ4MDB9.{signature}");
    assert_eq!(append(&gate, &forged).await.0, StatusCode::UNAUTHORIZED);
    let hs512 = Signing {
        id: "",
        algorithm: Algorithm::HS512,
        key: EncodingKey::from_secret(SECRET.as_bytes()),
    };
    let (status, _) = append(&of_secret(rules()), &hs512.token(&claims)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_may_be_bound_to_the_user_it_is_of() {
    let rules = TokenRules {
        sub_is_user: true,
        ..rules()
    };
    let tokens = Tokens::new(rules.clone(), Some(SECRET), None);
    let key = Signing::hs256(SECRET);
    let caller = tokens
        .caller(&key.token(&claims(&json!({}))))
        .await
        .unwrap();
    assert_eq!(caller.only_user.unwrap().as_str(), "ann");
    for sub in [json!(null), json!(""), json!("a b")] {
        let token = key.token(&claims(&json!({"sub": sub})));
        let (status, _) = append(&of_secret(rules.clone()), &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{sub}");
    }
}
