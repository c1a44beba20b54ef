//! The public keys that tokens are checked with (RFC 7517), from a file or a URL. They are read again every so often, and when a
//! token names a key that is not among them, so that an issuer can rotate its keys without anybody's help.

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

use super::tokens::TokenError;
use crate::health::Check;

/// How long fetching may take.
const FETCH_WITHIN: Duration = Duration::from_secs(5);
/// A set larger than this is none.
const MOST_BYTES: usize = 1 << 20;
/// A key that is not known is looked for this often at most, whatever tokens name.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Where the keys are.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// A file of this machine.
    File(PathBuf),
    /// Where the issuer publishes them.
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

/// The keys, as they were last read.
pub(super) struct Jwks {
    source: JwksSource,
    client: Client,
    every: Duration,
    keys: RwLock<Option<Arc<Vec<PublicKey>>>>,
    /// When they were last asked for, successfully or not. Held while asking, so that nobody asks beside.
    asked: Mutex<Option<Instant>>,
}

/// One key, for one algorithm.
struct PublicKey {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why the keys could not be read.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("{0}")]
    Fetch(#[from] reqwest::Error),
    #[error("it has more than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("it is not a JWK set: {0}")]
    NotASet(#[from] serde_json::Error),
    #[error("it holds no key for RS256 or ES256")]
    NoKey,
}

impl Jwks {
    pub(super) fn new(source: JwksSource, every: Duration) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(FETCH_WITHIN)
            // The address that was configured is the one that is trusted.
            .redirect(Policy::none())
            .build()?;
        Ok(Self {
            source,
            client,
            every,
            keys: RwLock::default(),
            asked: Mutex::default(),
        })
    }

    /// The keys for `algorithm` that may have signed a token: the one of that id, or all if the token names none.
    pub(super) async fn keys(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<DecodingKey>, TokenError> {
        let found = self.known(algorithm, id);
        if let Some(found) = found
            && !found.is_empty()
        {
            return Ok(found);
        }
        self.look_again().await;
        self.known(algorithm, id).ok_or(TokenError::NoKeys)
    }

    /// None as long as no keys could be read.
    fn known(&self, algorithm: Algorithm, id: Option<&str>) -> Option<Vec<DecodingKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.as_ref()?.iter();
        let fits = |key: &&PublicKey| {
            key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id)
        };
        Some(keys.filter(fits).map(|key| key.key.clone()).collect())
    }

    /// Reads the keys, unless that was done a moment ago. Of many that want it one does it, the others wait for that.
    async fn look_again(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|asked| asked.elapsed() < LOOK_AGAIN_AFTER) {
            return;
        }
        let loaded = self.load().await;
        *asked = Some(Instant::now());
        self.take(loaded);
    }

    /// Keeps what was read; what was known stays if nothing could be.
    fn take(&self, loaded: Result<Vec<PublicKey>, LoadError>) -> bool {
        match loaded {
            Ok(keys) => {
                let mut known = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                *known = Some(Arc::new(keys));
                true
            }
            Err(error) => {
                let source = &self.source;
                tracing::warn!(%source, "the keys of {source} could not be read: {error}");
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
        let mut answer = self.client.get(url).send().await?.error_for_status()?;
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            text.extend_from_slice(&chunk);
            if text.len() > MOST_BYTES {
                return Err(LoadError::TooLarge);
            }
        }
        Ok(text)
    }

    /// Reads the keys now and every so often, until `stopping`. `check` fails until they could be read once; after that the last
    /// ones serve for as long as the source is away.
    pub(super) async fn keep(
        self: Arc<Self>,
        check: Check,
        stopping: CancellationToken,
    ) -> Result<(), Infallible> {
        let keep = async {
            loop {
                let loaded = self.load().await;
                let is_known = self.take(loaded);
                if is_known {
                    check.ok();
                } else if self
                    .keys
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .is_none()
                {
                    check.not_ready(format!("the keys of {} could not be read yet", self.source));
                }
                sleep(if is_known {
                    self.every
                } else {
                    LOOK_AGAIN_AFTER
                })
                .await;
            }
        };
        stopping.run_until_cancelled(keep).await;
        Ok(())
    }
}

/// The keys of a set that can be used here; a set may hold keys for others, too.
fn parse(text: &[u8]) -> Result<Vec<PublicKey>, LoadError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let Set { keys } = serde_json::from_slice(text)?;
    let usable = |key| PublicKey::of(&serde_json::from_value(key).ok()?);
    let keys: Vec<PublicKey> = keys.into_iter().filter_map(usable).collect();
    if keys.is_empty() {
        return Err(LoadError::NoKey);
    }
    Ok(keys)
}

impl PublicKey {
    /// None: of another kind, or not for signatures. A symmetric key is never one: it would be public.
    fn of(jwk: &Jwk) -> Option<Self> {
        let (algorithm, named) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            _ => return None,
        };
        let is_for_another = jwk.common.key_algorithm.is_some_and(|is| is != named);
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
    fn of_a_set_only_keys_for_signatures_by_known_algorithms_are_taken() {
        let set = |key: &str| parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes());
        let taken = set(&format!(r#"{{{RSA},"kid":"a"}},{{"kty":"XYZ"}}"#)).unwrap();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].id.as_deref(), Some("a"));
        for refused in [
            format!(r#"{{{RSA},"use":"enc"}}"#),
            format!(r#"{{{RSA},"alg":"RS512"}}"#),
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
            r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#.to_owned(),
            String::new(),
        ] {
            assert!(matches!(set(&refused), Err(LoadError::NoKey)), "{refused}");
        }
        assert!(matches!(parse(b"[]"), Err(LoadError::NotASet(_))));
    }
}
