//! What an API's document says of credentials: the schemes, which operations need one, and how a request without is answered. It
//! follows the rule that the gate follows, so that no operation can say otherwise.

use std::{collections::HashMap, iter};

use poem::{endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{
        MetaApi, MetaHeader, MetaOperation, MetaResponse, MetaSchema, MetaSecurityScheme, Registry,
    },
    types::Type,
};

use super::access;
use crate::{
    openapi::{header, problem, retry_after},
    problem::Problem,
};

const API_KEY: &str = "ApiKey";
const BEARER: &str = "Bearer";

/// An API whose document tells of credentials.
#[derive(Debug)]
pub struct SecuredApi<A>(pub A);

type Routes = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

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
            "An API key. Which scopes it has and how often it may ask stands in the service's file of keys. None is needed where \
             the service runs without authentication, which it does on the loopback only unless told otherwise.",
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
            "A JSON Web Token signed with HS256, RS256 or ES256, with `exp` and `aud`, its `scope` naming what it allows: `read`, \
             `write`, `admin`. An API key is taken here, too.",
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
    let Some(needed) = access::needed(&operation.method, path) else {
        return;
    };
    let scheme = |name| HashMap::from([(name, Vec::new())]);
    operation.security = vec![scheme(API_KEY), scheme(BEARER)];
    let of_scope = MetaSchema {
        example: Some(
            format!(
                r#"Bearer realm="ess", error="insufficient_scope", scope="{}""#,
                needed.name()
            )
            .into(),
        ),
        ..MetaSchema::new("string")
    };
    let of_token = MetaSchema {
        example: Some(r#"Bearer realm="ess", error="invalid_token""#.into()),
        ..MetaSchema::new("string")
    };
    let refusals = [
        with_headers(
            401,
            "Credentials are missing, or are none that are known",
            vec![header(
                "WWW-Authenticate",
                "How credentials are sent.",
                of_token,
            )],
        ),
        with_headers(
            403,
            "The credentials do not allow this: the scope is missing, or it concerns another user than theirs",
            vec![header(
                "WWW-Authenticate",
                "The scope that is missing.",
                of_scope,
            )],
        ),
        with_headers(
            429,
            "The API key has used up the requests it may make",
            iter::once(retry_after())
                .chain(rate_limit_headers())
                .collect(),
        ),
    ];
    let responses = &mut operation.responses.responses;
    let answered = |response: &&mut MetaResponse| response.status.is_some_and(|it| it < 400);
    for response in responses.iter_mut().filter(answered) {
        response.headers.extend(rate_limit_headers());
    }
    responses.extend(refusals);
    // In the order of statuses; what stands for all others comes last.
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
            "How many requests the API key may make at once. This header and the other three stand on every answer to a key whose rate is limited.",
            number(500),
        ),
        header(
            "RateLimit-Remaining",
            "How many it may make now.",
            number(0),
        ),
        header(
            "RateLimit-Reset",
            "Seconds until it may make as many again; of one refused, until it may make one.",
            number(1),
        ),
        header(
            "RateLimit-Policy",
            "That limit, and the seconds (`w`) after which all of it may be used again.",
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
