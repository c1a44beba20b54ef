//! Verifies JSON Web Tokens (RFC 7519): HS256 with a shared secret, RS256 and ES256 with a JWK set. A key is used for its
//! own algorithm only, so that the header of a token cannot choose the verification (RFC 8725, section 3.1).

use std::{sync::Arc, time::Duration};

use ess_schema::UserId;
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header,
    errors::{Error as JwtError, ErrorKind},
};
use serde::Deserialize;

use super::{
    Caller, Scopes,
    jwks::{Jwks, KeysUnavailable},
};

/// The rules for the claims of a token.
#[derive(Debug, Clone, Default)]
pub struct TokenRules {
    /// The audience that `aud` must contain.
    pub audience: String,
    /// The issuer that `iss` must equal; none: any.
    pub issuer: Option<String>,
    /// The accepted clock difference between issuer and service.
    pub leeway: Duration,
    /// The scopes of a token without a `scope` claim.
    pub default_scopes: Scopes,
    /// Whether a token is restricted to the user in its `sub`.
    pub sub_is_user: bool,
}

/// Verifies tokens.
pub(super) struct Tokens {
    rules: TokenRules,
    secret: Option<DecodingKey>,
    jwks: Option<Arc<Jwks>>,
}

/// A token that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    KeysUnavailable(#[from] KeysUnavailable),
}

/// The claims that the service uses.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: Option<String>,
    /// Names separated by spaces (RFC 8693, section 4.2).
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

    /// The caller that `token` identifies.
    pub(super) async fn caller(&self, token: &str) -> Result<Caller, TokenError> {
        let header = decode_header(token).map_err(|error| invalid(&error))?;
        if header.crit.is_some() {
            return Err(TokenError::Invalid(
                "its header has critical extensions (crit), which are not supported".to_owned(),
            ));
        }
        let claims = self.claims(token, &header).await?;
        self.authorize(claims)
    }

    async fn claims(&self, token: &str, header: &Header) -> Result<Claims, TokenError> {
        let keys = match (header.alg, &self.secret, &self.jwks) {
            (Algorithm::HS256, Some(secret), _) => vec![secret.clone()],
            (Algorithm::RS256 | Algorithm::ES256, _, Some(jwks)) => {
                jwks.keys(header.alg, header.kid.as_deref()).await?
            }
            (other, ..) => {
                return Err(TokenError::Invalid(format!(
                    "tokens signed with {other:?} are not accepted"
                )));
            }
        };
        let validation = self.validation(header.alg);
        let mut last = TokenError::Invalid("unknown signing key".to_owned());
        for key in keys {
            match decode::<Claims>(token, &key, &validation) {
                Ok(data) => return Ok(data.claims),
                Err(error) => last = invalid(&error),
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

    fn authorize(&self, Claims { sub, scope }: Claims) -> Result<Caller, TokenError> {
        let scopes = scope.as_deref().map(Scopes::from_claim);
        let only_user = if self.rules.sub_is_user {
            let sub = sub.as_deref().unwrap_or_default();
            let user = UserId::new(sub);
            Some(user.map_err(|_| TokenError::Invalid("its sub is not a user id".to_owned()))?)
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

/// The problem, for the issuer of the token. Never contains values of the token.
fn invalid(error: &JwtError) -> TokenError {
    let why = match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired (exp)".to_owned(),
        ErrorKind::ImmatureSignature => "it is not valid yet (nbf)".to_owned(),
        ErrorKind::InvalidAudience => "it is for another audience (aud)".to_owned(),
        ErrorKind::InvalidIssuer => "it is from another issuer (iss)".to_owned(),
        ErrorKind::MissingRequiredClaim(claim) => format!("it has no {claim}"),
        ErrorKind::InvalidSignature => "its signature does not match".to_owned(),
        ErrorKind::InvalidAlgorithm
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm => {
            "tokens signed with its algorithm are not accepted".to_owned()
        }
        _ => "it is not a JSON Web Token".to_owned(),
    };
    TokenError::Invalid(why)
}
