//! Admits or rejects a request: credentials → caller → rate limit → scope → route. It must not look at bodies.

use std::sync::Arc;

use poem::{
    Endpoint, Request, Response,
    http::{HeaderMap, HeaderValue, header},
};

use super::{
    API_KEY_HEADER, ApiKeys, AuthConfig, Caller, JwksConfig, access, jwks::Jwks,
    rate_limit::RateLimit, rejection::Rejection, tokens::Tokens,
};
use crate::config::Secret;

/// Checks the credentials of requests.
#[derive(Default)]
pub struct Gate {
    /// None: the service has no authentication.
    credentials: Option<Credentials>,
}

/// The credentials that the gate accepts.
pub(super) struct Credentials {
    pub(super) keys: Arc<ApiKeys>,
    pub(super) tokens: Option<Tokens>,
}

/// The credential of a request.
enum Presented<'r> {
    Key(&'r str),
    Token(&'r str),
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_open = self.credentials.is_none();
        f.debug_struct("Gate").field("is_open", &is_open).finish()
    }
}

impl Gate {
    /// The gate that `config` describes, and the JWK set it uses, which the caller keeps up to date
    /// ([`Jwks::refresh`]).
    ///
    /// # Errors
    /// When the client for the URL of the JWK set cannot be built.
    pub(crate) fn new(config: &AuthConfig) -> Result<(Self, Option<Arc<Jwks>>), reqwest::Error> {
        if !config.is_enabled() {
            return Ok((Self::default(), None));
        }
        let jwks = config.jwt.as_ref().and_then(|jwt| jwt.jwks.clone());
        let jwks = jwks
            .map(
                |JwksConfig {
                     source,
                     refresh_interval,
                 }| Jwks::new(source, refresh_interval),
            )
            .transpose()?
            .map(Arc::new);
        let tokens = config.jwt.as_ref().map(|jwt| {
            let secret = jwt.secret.as_ref().map(Secret::expose);
            Tokens::new(jwt.rules.clone(), secret, jwks.clone())
        });
        let keys = Arc::clone(&config.keys);
        Ok((Self::accepting(Credentials { keys, tokens }), jwks))
    }

    pub(super) fn accepting(credentials: Credentials) -> Self {
        Self {
            credentials: Some(credentials),
        }
    }

    /// Calls `inner` with a request that is admitted, and responds to any other.
    pub async fn pass<E>(&self, inner: &E, mut request: Request) -> Response
    where
        E: Endpoint<Output = Response>,
    {
        let required = access::required_scope(request.method(), request.uri().path());
        let (Some(credentials), Some(required)) = (&self.credentials, required) else {
            return inner.get_response(request).await;
        };
        let (caller, limit) = match credentials.caller(request.headers()).await {
            Ok(found) => found,
            Err(rejection) => return rejection.response(),
        };
        let status = limit.map(RateLimit::count);
        let mut response = match status {
            Some(status) if status.is_exceeded => {
                Rejection::RateLimited(caller.name, status.retry_after()).response()
            }
            _ if !caller.scopes.allow(required) => {
                Rejection::Forbidden(caller, required).response()
            }
            _ => {
                request.extensions_mut().insert(caller);
                private(inner.get_response(request).await)
            }
        };
        if let Some(status) = status {
            status.write_headers(response.headers_mut());
        }
        response
    }
}

/// Marks a response that depends on credentials as not cacheable by shared caches.
fn private(mut response: Response) -> Response {
    if let Some(directives) = response.headers_mut().get_mut(header::CACHE_CONTROL)
        && let Ok(private) =
            HeaderValue::from_maybe_shared([b"private, ", directives.as_bytes()].concat())
    {
        *directives = private;
    }
    response
}

impl Credentials {
    /// The caller, and its rate limit.
    async fn caller(&self, headers: &HeaderMap) -> Result<(Caller, Option<&RateLimit>), Rejection> {
        match (presented(headers)?, &self.tokens) {
            (Presented::Token(token), Some(tokens)) => Ok((tokens.caller(token).await?, None)),
            (Presented::Key(key) | Presented::Token(key), _) => {
                let key = self.keys.find(key).ok_or(Rejection::UnknownKey)?;
                Ok((key.caller.clone(), key.limit.as_ref()))
            }
        }
    }
}

/// The one credential of a request. A bearer with two dots is a token, any other bearer an API key: collectors of metrics
/// can send a bearer, but seldom a custom header.
fn presented(headers: &HeaderMap) -> Result<Presented<'_>, Rejection> {
    let authorization = headers.get_all(header::AUTHORIZATION);
    let keys = headers.get_all(API_KEY_HEADER);
    let mut all = authorization.iter().map(bearer).chain(keys.iter().map(key));
    match (all.next(), all.next()) {
        (None, _) => Err(Rejection::Missing),
        (Some(only), None) => only,
        (Some(_), Some(_)) => Err(Rejection::Several),
    }
}

fn bearer(value: &HeaderValue) -> Result<Presented<'_>, Rejection> {
    let text = value.to_str().map_err(|_| Rejection::NotBearer)?;
    let (scheme, credential) = text.split_once(' ').ok_or(Rejection::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::NotBearer);
    }
    let credential = credential.trim();
    Ok(match credential.matches('.').count() {
        2 => Presented::Token(credential),
        _ => Presented::Key(credential),
    })
}

fn key(value: &HeaderValue) -> Result<Presented<'_>, Rejection> {
    let text = value.to_str().map_err(|_| Rejection::UnknownKey)?;
    Ok(Presented::Key(text.trim()))
}
