//! Why somebody may not pass, and what they are told: enough to mend it, nothing about what is known here.

use std::sync::Arc;

use poem::{
    IntoResponse, Response,
    http::{HeaderValue, header},
};

use super::{Caller, Scope, tokens::TokenError};
use crate::problem::{Problem, ProblemKind};

/// Seconds after which keys that could not be had may be there.
const WHEN_AWAY: u32 = 5;

/// Why a request does not pass.
#[derive(Debug)]
pub(super) enum Refusal {
    Missing,
    Several,
    NotBearer,
    UnknownKey,
    Token(String),
    KeysAway(String),
    Forbidden(Caller, Scope),
    RateLimited(Arc<str>, u32),
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused(why) => Self::Token(why),
            TokenError::NoKeys => Self::KeysAway(error.to_string()),
        }
    }
}

impl Refusal {
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
                "no credentials; send an API key as X-API-Key, or a token as Authorization: Bearer",
            ),
            Self::Several => unauthenticated("more than one credential; send one"),
            Self::NotBearer => unauthenticated(
                "Authorization is not Bearer with a token or an API key, as it must be here",
            ),
            Self::UnknownKey => unauthenticated("the API key is not known"),
            Self::Token(why) => unauthenticated(&format!("the token is not taken: {why}")),
            Self::KeysAway(why) => Problem::new(ProblemKind::AuthenticationUnavailable, why)
                .with_retry_after(WHEN_AWAY),
            Self::Forbidden(caller, needed) => Problem::new(
                ProblemKind::Forbidden,
                format!(
                    "this needs the scope {}; the credentials of {:?} have [{}]",
                    needed.name(),
                    caller.name,
                    caller.scopes
                ),
            ),
            Self::RateLimited(name, seconds) => {
                let detail = format!("the key {name:?} has used up the requests it may make");
                Problem::new(ProblemKind::RateLimited, detail).with_retry_after(seconds)
            }
        }
    }

    /// As RFC 6750, section 3, words it: without credentials it says only how to send them.
    fn challenge(&self) -> Option<String> {
        match self {
            Self::Missing => Some(r#"Bearer realm="ess""#.to_owned()),
            Self::Several | Self::NotBearer => {
                Some(r#"Bearer realm="ess", error="invalid_request""#.to_owned())
            }
            Self::UnknownKey | Self::Token(_) => {
                Some(r#"Bearer realm="ess", error="invalid_token""#.to_owned())
            }
            Self::Forbidden(_, needed) => Some(format!(
                r#"Bearer realm="ess", error="insufficient_scope", scope="{}""#,
                needed.name()
            )),
            Self::KeysAway(_) | Self::RateLimited(..) => None,
        }
    }
}
