//! The tests' HTTP client: a base URL, and responses that are read completely.

use std::time::Duration;

use ess_schema::Position;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Http {
    base: String,
    client: reqwest::Client,
}

/// A complete response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Http {
    /// A client of the service at `base`, for example `http://127.0.0.1:8000`. Follows no redirect.
    pub fn new(base: String) -> Self {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            // Every test has a runtime of its own; an idle connection would die with the runtime that opened it.
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        Self { base, client }
    }

    /// The base URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Begins a request for [`Http::send`]; `path` starts with `/`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When there is no response.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sends a request that a fault may leave without a response.
    ///
    /// # Errors
    /// The reason why there is no response.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, String> {
        let why = |error: reqwest::Error| format!("{}: {error:?}", self.base);
        let response = request.send().await.map_err(why)?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.map_err(why)?,
        })
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// `POST path` with a body.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<String>) -> Answer {
        let request = self.request(Method::POST, path);
        self.send(request.header(CONTENT_TYPE, content_type).body(body.into()))
            .await
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// With the response, when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The response, if it has this status.
    ///
    /// # Panics
    /// With the response, when it has another status.
    #[must_use]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The positions of the appended items.
    pub fn positions(&self) -> Vec<Position> {
        let json = self.json();
        let items = json["items"].as_array().cloned().unwrap_or_default();
        let each = items.iter().chain([&json]);
        each.filter_map(|item| item["position"].as_str()?.parse().ok())
            .collect()
    }

    /// The URL of the next page of a list: path and query of `Link: <…>; rel="next"`.
    pub fn next_page(&self) -> Option<String> {
        let link = self.header("link")?;
        let (target, _) = link
            .split(',')
            .find(|link| link.contains(r#"rel="next""#))?
            .split_once('>')?;
        let target = target.trim().trim_start_matches('<');
        let path = target.split_once("://").map_or(target, |(_, rest)| {
            rest.find('/').map_or("/", |at| &rest[at..])
        });
        Some(path.to_owned())
    }
}
