//! JSON Web Tokens (RFC 7519): HS256 with a shared secret, RS256 and ES256 with the keys of a JWK set. A key serves the one algorithm
//! it is for, whatever a token's header says, so a token cannot choose how it is checked (RFC 8725, section 3.1).

use std::{sync::Arc, time::Duration};

use ess_schema::UserId;
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header,
    errors::{Error as JwtError, ErrorKind},
};
use serde::Deserialize;

use super::{Caller, Scopes, jwks::Jwks};

/// What is asked of a token beside its signature.
#[derive(Debug, Clone, Default)]
pub struct TokenRules {
    /// One of its `aud` must be this.
    pub audience: String,
    /// Its `iss` must be this; none: any.
    pub issuer: Option<String>,
    /// How far the clocks of issuer and service may differ.
    pub leeway: Duration,
    /// What one without a `scope` claim allows.
    pub default_scopes: Scopes,
    /// Whether it allows only what concerns the user that its `sub` is.
    pub sub_is_user: bool,
}

/// Checks tokens.
pub(super) struct Tokens {
    rules: TokenRules,
    secret: Option<DecodingKey>,
    jwks: Option<Arc<Jwks>>,
}

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("{0}")]
    Refused(String),
    /// The keys are not here yet: it may be a good one.
    #[error("the keys that tokens are checked with cannot be had at the moment")]
    NoKeys,
}

/// The claims that mean something here.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: Option<String>,
    /// Names separated by blanks (RFC 8693, section 4.2).
    scope: Option<String>,
}

impl Tokens {
    pub(super) fn new(rules: TokenRules, secret: Option<&str>, jwks: Option<Arc<Jwks>>) -> Self {
        Self {
            rules,
            secret: secret.map(|secret| DecodingKey::from_secret(secret.as_bytes())),
            jwks,
        }
    }

    /// Who sent `token`.
    pub(super) async fn caller(&self, token: &str) -> Result<Caller, TokenError> {
        let header = decode_header(token).map_err(|error| refused(&error))?;
        if header.crit.is_some() {
            return Err(TokenError::Refused(
                "its header has critical extensions, of which none is known".to_owned(),
            ));
        }
        let claims = self.claims(token, &header).await?;
        self.admit(claims)
    }

    async fn claims(&self, token: &str, header: &Header) -> Result<Claims, TokenError> {
        let keys = match (header.alg, &self.secret, &self.jwks) {
            (Algorithm::HS256, Some(secret), _) => vec![secret.clone()],
            (Algorithm::RS256 | Algorithm::ES256, _, Some(jwks)) => {
                jwks.keys(header.alg, header.kid.as_deref()).await?
            }
            (other, ..) => {
                return Err(TokenError::Refused(format!(
                    "tokens signed by {other:?} are not taken"
                )));
            }
        };
        let validation = self.validation(header.alg);
        let mut last = TokenError::Refused("no key is known that it was signed with".to_owned());
        for key in keys {
            match decode::<Claims>(token, &key, &validation) {
                Ok(data) => return Ok(data.claims),
                Err(error) => last = refused(&error),
            }
        }
        Err(last)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.rules.leeway.as_secs();
        validation.validate_nbf = true;
        validation.set_audience(&[&self.rules.audience]);
        let mut required = vec!["exp", "aud"];
        if let Some(issuer) = &self.rules.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        validation
    }

    fn admit(&self, Claims { sub, scope }: Claims) -> Result<Caller, TokenError> {
        let scopes = scope.as_deref().map(Scopes::known_of);
        let only_user = if self.rules.sub_is_user {
            let sub = sub.as_deref().unwrap_or_default();
            let user = UserId::new(sub);
            Some(user.map_err(|_| TokenError::Refused("its sub is no user id".to_owned()))?)
        } else {
            None
        };
        Ok(Caller {
            name: Arc::from(sub.unwrap_or_default()),
            scopes: scopes.unwrap_or(self.rules.default_scopes),
            only_user,
        })
    }
}

/// What is wrong, in words for who made the token; never with its content.
fn refused(error: &JwtError) -> TokenError {
    let why = match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired (exp)".to_owned(),
        ErrorKind::ImmatureSignature => "it is not valid yet (nbf)".to_owned(),
        ErrorKind::InvalidAudience => "it is for another audience (aud)".to_owned(),
        ErrorKind::InvalidIssuer => "another issued it (iss)".to_owned(),
        ErrorKind::MissingRequiredClaim(claim) => format!("it has no {claim}"),
        ErrorKind::InvalidSignature => "its signature does not match".to_owned(),
        ErrorKind::InvalidAlgorithm
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm => {
            "tokens signed by its algorithm are not taken".to_owned()
        }
        _ => "it is not a JSON Web Token".to_owned(),
    };
    TokenError::Refused(why)
}
