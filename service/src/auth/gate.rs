//! Lets pass who may: credentials → caller → rate → scope → the route. It must not look at bodies.

use std::sync::Arc;

use poem::{
    Endpoint, Request, Response,
    http::{HeaderMap, HeaderValue, header},
};

use super::{
    API_KEY_HEADER, ApiKeys, Caller, JwksSource, TokenRules, access, api_keys::ApiKey, jwks::Jwks,
    limit::Limit, refusal::Refusal, tokens::Tokens,
};
use crate::{
    config::{AuthConfig, JwtConfig},
    process::{Process, StartError},
};

/// Who may pass.
#[derive(Default)]
pub struct Gate {
    /// None: everybody.
    known: Option<Known>,
}

/// Who is known.
pub(super) struct Known {
    pub(super) keys: Arc<ApiKeys>,
    pub(super) tokens: Option<Tokens>,
}

/// What a request presents.
enum Presented<'r> {
    Key(&'r str),
    Token(&'r str),
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_open = self.known.is_none();
        f.debug_struct("Gate").field("is_open", &is_open).finish()
    }
}

impl Gate {
    /// The gate of `process`, which keeps the keys that tokens are checked with up to date. Without keys and tokens it is open.
    ///
    /// # Errors
    /// When no client for the keys' URL can be made.
    pub fn start(config: &AuthConfig, process: &mut Process) -> Result<Self, StartError> {
        if !config.is_enabled() {
            return Ok(Self::default());
        }
        let jwks = config.jwt.as_ref().and_then(|jwt| jwt.jwks.as_ref());
        let jwks = jwks.map(|jwks| Self::keep(jwks.source.clone(), jwks.refresh_interval, process));
        let jwks = jwks.transpose()?;
        let tokens = config.jwt.as_ref().map(|jwt| Self::tokens(jwt, jwks));
        let keys = Arc::clone(&config.keys);
        Ok(Self::of(Known { keys, tokens }))
    }

    pub(super) fn of(known: Known) -> Self {
        Self { known: Some(known) }
    }

    fn keep(
        source: JwksSource,
        every: std::time::Duration,
        process: &mut Process,
    ) -> Result<Arc<Jwks>, StartError> {
        let jwks = Arc::new(Jwks::new(source, every)?);
        let check = process.health.check("jwks");
        let stopping = process.stopping();
        process.spawn("jwks", Arc::clone(&jwks).keep(check, stopping));
        Ok(jwks)
    }

    fn tokens(jwt: &JwtConfig, jwks: Option<Arc<Jwks>>) -> Tokens {
        let secret = jwt.secret.as_ref().map(crate::config::Secret::expose);
        let rules: TokenRules = jwt.rules.clone();
        Tokens::new(rules, secret, jwks)
    }

    /// Calls `inner` with a request that may pass, and answers any other.
    pub async fn pass<E>(&self, inner: &E, mut request: Request) -> Response
    where
        E: Endpoint<Output = Response>,
    {
        let needed = access::needed(request.method(), request.uri().path());
        let (Some(known), Some(needed)) = (&self.known, needed) else {
            return inner.get_response(request).await;
        };
        let (caller, limit) = match known.caller(request.headers()).await {
            Ok(known) => known,
            Err(refusal) => return refusal.response(),
        };
        let standing = limit.map(Limit::count);
        let is_exceeded = standing.is_some_and(|standing| standing.is_exceeded);
        let mut response = match standing {
            Some(standing) if is_exceeded => {
                Refusal::RateLimited(caller.name, standing.retry_after()).response()
            }
            _ if !caller.scopes.allow(needed) => Refusal::Forbidden(caller, needed).response(),
            _ => {
                request.extensions_mut().insert(caller);
                private(inner.get_response(request).await)
            }
        };
        if let Some(standing) = standing {
            standing.tell(response.headers_mut());
        }
        response
    }
}

/// What was told to who has credentials is not for a cache that others share: it does not know keys of ours.
fn private(mut response: Response) -> Response {
    if let Some(held) = response.headers_mut().get_mut(header::CACHE_CONTROL)
        && let Ok(private) =
            HeaderValue::from_maybe_shared([b"private, ", held.as_bytes()].concat())
    {
        *held = private;
    }
    response
}

impl Known {
    /// Who asks, and how often they may.
    async fn caller(&self, headers: &HeaderMap) -> Result<(Caller, Option<&Limit>), Refusal> {
        match (presented(headers)?, &self.tokens) {
            (Presented::Token(token), Some(tokens)) => {
                let caller = tokens.caller(token).await.map_err(Refusal::from)?;
                Ok((caller, None))
            }
            (Presented::Key(key) | Presented::Token(key), _) => {
                let key: &ApiKey = self.keys.find(key).ok_or(Refusal::UnknownKey)?;
                Ok((key.caller.clone(), key.limit.as_ref()))
            }
        }
    }
}

/// The one credential of a request. What looks like a token (two dots) is one, any other bearer a key: collectors of metrics can
/// send a bearer, but seldom a header of ours.
fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Refusal> {
    let authorization = headers.get_all(header::AUTHORIZATION);
    let keys = headers.get_all(API_KEY_HEADER);
    let mut all = authorization.iter().map(bearer).chain(keys.iter().map(key));
    match (all.next(), all.next()) {
        (None, _) => Err(Refusal::Missing),
        (Some(only), None) => only,
        (Some(_), Some(_)) => Err(Refusal::Several),
    }
}

fn bearer(value: &HeaderValue) -> Result<Presented<'_>, Refusal> {
    let text = value.to_str().map_err(|_| Refusal::NotBearer)?;
    let (scheme, credential) = text.split_once(' ').ok_or(Refusal::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NotBearer);
    }
    let credential = credential.trim();
    Ok(match credential.matches('.').count() {
        2 => Presented::Token(credential),
        _ => Presented::Key(credential),
    })
}

fn key(value: &HeaderValue) -> Result<Presented<'_>, Refusal> {
    let text = value.to_str().map_err(|_| Refusal::UnknownKey)?;
    Ok(Presented::Key(text.trim()))
}
