//! Who may ask: API keys and JWTs, what each may do, and how often. Without either, whoever reaches the address may do everything
//! ([`crate::config::HttpConfig`] then keeps the address on the loopback). It knows no route of a service: reading takes the scope
//! `read`, everything else `write`, a few paths nothing.

mod access;
mod api_keys;
mod caller;
mod document;
mod gate;
mod jwks;
mod limit;
mod new_key;
mod refusal;
mod tokens;

pub use self::{
    api_keys::{ApiKeys, KeyFileError},
    caller::{Caller, Scope, Scopes},
    document::SecuredApi,
    gate::Gate,
    jwks::JwksSource,
    new_key::NewApiKey,
    tokens::TokenRules,
};

/// Where an API key may stand, beside `Authorization`.
pub const API_KEY_HEADER: &str = "x-api-key";

#[cfg(test)]
mod tests;
