//! Why a request is rejected, and the response to it: enough to fix the request, nothing about known credentials.

use std::sync::Arc;

use poem::{
    IntoResponse, Response,
    http::{HeaderValue, header},
};

use super::{Caller, Scope, tokens::TokenError};
use crate::problem::{Problem, ProblemKind};

/// `Retry-After` while the JWK set is unavailable.
const KEYS_RETRY_AFTER: u32 = 5;

/// Why a request is rejected.
#[derive(Debug)]
pub(super) enum Rejection {
    Missing,
    Several,
    NotBearer,
    UnknownKey,
    Token(String),
    KeysUnavailable(String),
    Forbidden(Caller, Scope),
    RateLimited(Arc<str>, u32),
}

impl From<TokenError> for Rejection {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid(why) => Self::Token(why),
            TokenError::KeysUnavailable(error) => Self::KeysUnavailable(error.to_string()),
        }
    }
}

impl Rejection {
    pub(super) fn response(self) -> Response {
        let challenge = self.challenge();
        let mut response = self.problem().into_response();
        if let Some(challenge) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    fn problem(self) -> Problem {
        let unauthenticated = |detail: &str| Problem::new(ProblemKind::Unauthenticated, detail);
        match self {
            Self::Missing => unauthenticated(
                "no credentials; send an API key in X-API-Key, or a token in Authorization: Bearer",
            ),
            Self::Several => unauthenticated("more than one credential; send only one"),
            Self::NotBearer => {
                unauthenticated("Authorization is not Bearer with a token or an API key")
            }
            Self::UnknownKey => unauthenticated("unknown API key"),
            Self::Token(why) => unauthenticated(&format!("invalid token: {why}")),
            Self::KeysUnavailable(why) => Problem::new(ProblemKind::AuthenticationUnavailable, why)
                .with_retry_after(KEYS_RETRY_AFTER),
            Self::Forbidden(caller, required) => Problem::new(
                ProblemKind::Forbidden,
                format!(
                    "the request needs the scope {}; the credentials of {:?} have [{}]",
                    required.name(),
                    caller.name,
                    caller.scopes
                ),
            ),
            Self::RateLimited(name, seconds) => {
                let detail = format!("the API key {name:?} exceeds its rate limit");
                Problem::new(ProblemKind::RateLimited, detail).with_retry_after(seconds)
            }
        }
    }

    /// The `WWW-Authenticate` header (RFC 6750, section 3): without credentials it names the scheme only.
    fn challenge(&self) -> Option<String> {
        match self {
            Self::Missing => Some(r#"Bearer realm="ess""#.to_owned()),
            Self::Several | Self::NotBearer => {
                Some(r#"Bearer realm="ess", error="invalid_request""#.to_owned())
            }
            Self::UnknownKey | Self::Token(_) => {
                Some(r#"Bearer realm="ess", error="invalid_token""#.to_owned())
            }
            Self::Forbidden(_, required) => Some(format!(
                r#"Bearer realm="ess", error="insufficient_scope", scope="{}""#,
                required.name()
            )),
            Self::KeysUnavailable(_) | Self::RateLimited(..) => None,
        }
    }
}
