//! Which requests the gate admits, and how it responds to others.

mod keys;
mod signed;
mod tokens;

use std::sync::Arc;

use ::config::{File, FileFormat};
use poem::{
    Endpoint, IntoResponse as _, Request, Response,
    endpoint::make_sync,
    http::{Method, StatusCode},
};

use super::{gate::Credentials, tokens::Tokens, *};

/// Responds with the name and the scopes of the caller.
fn echo_caller() -> impl Endpoint<Output = Response> {
    make_sync(|request: Request| match Caller::of(&request) {
        Some(caller) => format!("{} [{}]", caller.name, caller.scopes).into_response(),
        None => "no caller".into_response(),
    })
}

fn gate(keys: &str, tokens: Option<Tokens>) -> Gate {
    let keys = match keys {
        "" => ApiKeys::default(),
        keys => ApiKeys::of(File::from_str(keys, FileFormat::Toml)).unwrap(),
    };
    let keys = Arc::new(keys);
    Gate::accepting(Credentials { keys, tokens })
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request {
    let request = Request::builder().method(method).uri_str(path);
    let add =
        |request: poem::RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
    headers.iter().fold(request, add).finish()
}

/// The status, and the text; of a problem its detail.
async fn pass(gate: &Gate, request: Request) -> (StatusCode, String) {
    let response = gate.pass(&echo_caller(), request).await;
    let status = response.status();
    let text = response.into_body().into_string().await.unwrap();
    let problem: Result<serde_json::Value, _> = serde_json::from_str(&text);
    let detail = problem.map(|problem| problem["detail"].as_str().unwrap().to_owned());
    (status, detail.unwrap_or(text))
}
