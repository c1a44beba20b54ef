//! Adds security to the OpenAPI document of an API: the schemes, the operations that need one, and the responses 401, 403
//! and 429. It applies the same rule as the gate, so that document and behavior cannot differ.

use std::{collections::HashMap, iter};

use poem_openapi::{
    OpenApi,
    registry::{
        MetaApi, MetaHeader, MetaOperation, MetaResponse, MetaSchema, MetaSecurityScheme, Registry,
    },
    types::Type,
};

use super::access;
use crate::{
    openapi::{Routes, header, problem, retry_after},
    problem::Problem,
};

const API_KEY: &str = "ApiKey";
const BEARER: &str = "Bearer";

/// An API whose document describes its security.
#[derive(Debug)]
pub struct SecuredApi<A>(pub A);

impl<A: OpenApi> OpenApi for SecuredApi<A> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = A::meta();
        let paths = apis.iter_mut().flat_map(|api| &mut api.paths);
        for path in paths {
            for operation in &mut path.operations {
                secure(operation, &path.path);
            }
        }
        apis
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
        <Problem as Type>::register(registry);
        registry.create_security_scheme(API_KEY, api_key());
        registry.create_security_scheme(BEARER, bearer());
    }

    fn add_routes(self, routes: &mut Routes) {
        self.0.add_routes(routes);
    }
}

fn api_key() -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "apiKey",
        description: Some(
            "An API key. The key file of the service defines its scopes and its rate limit. A service without authentication \
             needs none; by default such a service listens on loopback only.",
        ),
        name: Some("X-API-Key"),
        key_in: Some("header"),
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}

fn bearer() -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "http",
        description: Some(
            "A JSON Web Token signed with HS256, RS256 or ES256, with the claims `exp` and `aud`. Its `scope` lists `read`, \
             `write` or `admin`. An API key is accepted here, too.",
        ),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: Some("JWT"),
        flows: None,
        openid_connect_url: None,
    }
}

fn secure(operation: &mut MetaOperation, path: &str) {
    let Some(required) = access::required_scope(&operation.method, path) else {
        return;
    };
    let scheme = |name| HashMap::from([(name, Vec::new())]);
    operation.security = vec![scheme(API_KEY), scheme(BEARER)];
    let insufficient_scope = MetaSchema {
        example: Some(
            format!(
                r#"Bearer realm="ess", error="insufficient_scope", scope="{}""#,
                required.name()
            )
            .into(),
        ),
        ..MetaSchema::new("string")
    };
    let invalid_token = MetaSchema {
        example: Some(r#"Bearer realm="ess", error="invalid_token""#.into()),
        ..MetaSchema::new("string")
    };
    let refusals = [
        with_headers(
            401,
            "Credentials are missing or invalid",
            vec![header(
                "WWW-Authenticate",
                "How to send credentials.",
                invalid_token,
            )],
        ),
        with_headers(
            403,
            "The credentials do not allow the request: they lack a scope, or the request concerns another user",
            vec![header(
                "WWW-Authenticate",
                "The missing scope.",
                insufficient_scope,
            )],
        ),
        with_headers(
            429,
            "The rate limit of the API key is exceeded",
            iter::once(retry_after())
                .chain(rate_limit_headers())
                .collect(),
        ),
    ];
    let responses = &mut operation.responses.responses;
    let is_success = |response: &&mut MetaResponse| response.status.is_some_and(|it| it < 400);
    for response in responses.iter_mut().filter(is_success) {
        response.headers.extend(rate_limit_headers());
    }
    responses.extend(refusals);
    // By status; `default` comes last.
    responses.sort_by_key(|response| response.status.unwrap_or(u16::MAX));
}

fn rate_limit_headers() -> Vec<MetaHeader> {
    let number = |example: u32| MetaSchema {
        example: Some(example.into()),
        ..MetaSchema::new("integer")
    };
    let policy = MetaSchema {
        example: Some("500;w=1".into()),
        ..MetaSchema::new("string")
    };
    vec![
        header(
            "RateLimit-Limit",
            "Maximum number of requests at once. This header and the other three are in every response to an API key with a rate limit.",
            number(500),
        ),
        header(
            "RateLimit-Remaining",
            "Number of requests that are allowed now.",
            number(0),
        ),
        header(
            "RateLimit-Reset",
            "Seconds until the full quota is available; on 429, until one request is allowed.",
            number(1),
        ),
        header(
            "RateLimit-Policy",
            "The limit, and the window (`w`) in seconds after which the full quota is available again.",
            policy,
        ),
    ]
}

fn with_headers(status: u16, description: &'static str, headers: Vec<MetaHeader>) -> MetaResponse {
    MetaResponse {
        headers,
        ..problem(status, description)
    }
}
