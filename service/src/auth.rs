//! Authentication and authorization: API keys and JWTs, their scopes and rate limits. Without either the service is open
//! ([`crate::http::HttpConfig`] then requires a loopback address). It must not know the routes of a service: `GET` needs
//! the scope `read`, other methods need `write`, a few paths need none.

mod access;
mod api_keys;
mod caller;
mod config;
mod document;
mod gate;
mod jwks;
mod new_api_key;
mod rate_limit;
mod rejection;
mod tokens;

pub use self::{
    api_keys::{ApiKeys, KeyFileError},
    caller::{Caller, Scope, Scopes},
    config::{AuthConfig, JwksConfig, JwtConfig},
    document::SecuredApi,
    gate::Gate,
    jwks::JwksSource,
    new_api_key::NewApiKey,
    tokens::TokenRules,
};

/// The header of an API key; `Authorization` is the other one.
pub const API_KEY_HEADER: &str = "x-api-key";

#[cfg(test)]
mod tests;
