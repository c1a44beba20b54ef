//! The JWK set (RFC 7517) that verifies tokens, from a file or a URL. It is reloaded at an interval, and when a token names
//! an unknown key, so that an issuer can rotate its keys. It never uses a symmetric key from a set.

use std::{
    convert::Infallible,
    fmt, io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use reqwest::{Client, Url, redirect::Policy};
use serde::Deserialize;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::health::Check;

/// Timeout of a fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a set.
const MAX_BYTES: usize = 1 << 20;
/// Minimum time between reloads, however many tokens name unknown keys.
const MIN_RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// The source of a JWK set.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// A file.
    File(PathBuf),
    /// The URL at which the issuer publishes it.
    Url(Url),
}

impl fmt::Display for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// The keys of a JWK set, as last loaded.
pub(crate) struct Jwks {
    source: JwksSource,
    client: Client,
    refresh_interval: Duration,
    keys: RwLock<Option<Arc<Vec<PublicKey>>>>,
    /// When a token last caused a reload, successful or not. Locked during the reload, so that there is one at a time.
    last_reload: Mutex<Option<Instant>>,
}

/// One key, for one algorithm.
struct PublicKey {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// No keys have been loaded yet: the token may be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("tokens cannot be verified now: the JWK set has not been loaded yet")]
pub(super) struct KeysUnavailable;

/// A JWK set that cannot be loaded.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("{0}")]
    Fetch(#[from] reqwest::Error),
    #[error("the JWK set has more than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("not a JWK set: {0}")]
    NotASet(#[from] serde_json::Error),
    #[error("the JWK set has no key for RS256 or ES256")]
    NoKey,
}

impl Jwks {
    pub(super) fn new(
        source: JwksSource,
        refresh_interval: Duration,
    ) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(FETCH_TIMEOUT)
            // Only the configured address is trusted.
            .redirect(Policy::none())
            .build()?;
        Ok(Self {
            source,
            client,
            refresh_interval,
            keys: RwLock::default(),
            last_reload: Mutex::default(),
        })
    }

    /// The keys for `algorithm` that may have signed a token: the one with `id`, or all if the token has no key id.
    ///
    /// # Errors
    /// While no keys have been loaded.
    pub(super) async fn keys(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<DecodingKey>, KeysUnavailable> {
        let found = self.known(algorithm, id);
        if let Some(found) = found
            && !found.is_empty()
        {
            return Ok(found);
        }
        self.reload().await;
        self.known(algorithm, id).ok_or(KeysUnavailable)
    }

    /// None while no keys have been loaded.
    fn known(&self, algorithm: Algorithm, id: Option<&str>) -> Option<Vec<DecodingKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.as_ref()?.iter();
        let fits = |key: &&PublicKey| {
            key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id)
        };
        Some(keys.filter(fits).map(|key| key.key.clone()).collect())
    }

    /// Loads the keys, unless that was done a moment ago. Concurrent callers wait for one load.
    async fn reload(&self) {
        let mut last_reload = self.last_reload.lock().await;
        if last_reload.is_some_and(|last| last.elapsed() < MIN_RELOAD_INTERVAL) {
            return;
        }
        let loaded = self.load().await;
        *last_reload = Some(Instant::now());
        self.store(loaded);
    }

    /// Stores the keys that were loaded; after an error the previous keys stay in use. True: loaded.
    fn store(&self, loaded: Result<Vec<PublicKey>, LoadError>) -> bool {
        match loaded {
            Ok(keys) => {
                let mut known = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                *known = Some(Arc::new(keys));
                true
            }
            Err(error) => {
                let source = &self.source;
                tracing::warn!(%source, "cannot load the JWK set from {source}: {error}");
                false
            }
        }
    }

    async fn load(&self) -> Result<Vec<PublicKey>, LoadError> {
        let text = match &self.source {
            JwksSource::File(file) => tokio::fs::read(file).await?,
            JwksSource::Url(url) => self.fetch(url.clone()).await?,
        };
        parse(&text)
    }

    async fn fetch(&self, url: Url) -> Result<Vec<u8>, LoadError> {
        let mut response = self.client.get(url).send().await?.error_for_status()?;
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            text.extend_from_slice(&chunk);
            if text.len() > MAX_BYTES {
                return Err(LoadError::TooLarge);
            }
        }
        Ok(text)
    }

    /// Loads the keys now and at every interval, until `stopping`. `check` is not ready until the first success; after that,
    /// the last keys stay in use while the source is unavailable.
    pub(crate) async fn refresh(
        self: Arc<Self>,
        check: Check,
        stopping: CancellationToken,
    ) -> Result<(), Infallible> {
        let refresh = async {
            loop {
                let loaded = self.load().await;
                let is_loaded = self.store(loaded);
                if is_loaded {
                    check.ok();
                } else if self
                    .keys
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_none()
                {
                    check.not_ready(format!(
                        "the JWK set from {} has not been loaded yet",
                        self.source
                    ));
                }
                sleep(if is_loaded {
                    self.refresh_interval
                } else {
                    MIN_RELOAD_INTERVAL
                })
                .await;
            }
        };
        stopping.run_until_cancelled(refresh).await;
        Ok(())
    }
}

/// The usable keys of a set, which may have keys for other purposes, too.
fn parse(text: &[u8]) -> Result<Vec<PublicKey>, LoadError> {
    #[derive(Deserialize)]
    struct JwkSet {
        keys: Vec<serde_json::Value>,
    }
    let JwkSet { keys } = serde_json::from_slice(text)?;
    let usable = |key| PublicKey::from_jwk(&serde_json::from_value(key).ok()?);
    let keys: Vec<PublicKey> = keys.into_iter().filter_map(usable).collect();
    if keys.is_empty() {
        return Err(LoadError::NoKey);
    }
    Ok(keys)
}

impl PublicKey {
    /// None: a key of another type, or not for signatures. A symmetric key is rejected, because it would be public.
    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let (algorithm, key_algorithm) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            _ => return None,
        };
        let is_for_another = jwk
            .common
            .key_algorithm
            .is_some_and(|named| named != key_algorithm);
        let key_use = &jwk.common.public_key_use;
        let signs = key_use
            .as_ref()
            .is_none_or(|key_use| *key_use == PublicKeyUse::Signature);
        if is_for_another || !signs {
            return None;
        }
        Some(Self {
            id: jwk.common.key_id.clone(),
            algorithm,
            key: DecodingKey::from_jwk(jwk).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA: &str = r#""kty":"RSA","n":"sXch","e":"AQAB""#;

    #[test]
    fn only_keys_for_signatures_with_rs256_or_es256_are_loaded() {
        let set = |key: &str| parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes());
        let loaded = set(&format!(r#"{{{RSA},"kid":"a"}},{{"kty":"XYZ"}}"#)).unwrap();
        assert_eq!(loaded.len(), 1);
        assert_eq!(loaded[0].id.as_deref(), Some("a"));
        for unusable in [
            format!(r#"{{{RSA},"use":"enc"}}"#),
            format!(r#"{{{RSA},"alg":"RS512"}}"#),
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
            r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#.to_owned(),
            String::new(),
        ] {
            assert!(
                matches!(set(&unusable), Err(LoadError::NoKey)),
                "{unusable}"
            );
        }
        assert!(matches!(parse(b"[]"), Err(LoadError::NotASet(_))));
    }
}
