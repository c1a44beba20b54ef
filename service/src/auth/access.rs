//! What a request needs: one rule for all services, so that a new route is closed until somebody opens it here.

use poem::http::Method;

use super::Scope;

/// Paths that take no credentials: what a balancer asks, what a person reads before they have a key, and that the service runs.
const OPEN: [&str; 5] = [
    "/",
    "/docs",
    "/openapi.json",
    "/health/live",
    "/health/ready",
];

/// The scope that `method` on `path` takes; none: it is open.
pub(super) fn needed(method: &Method, path: &str) -> Option<Scope> {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    match (is_read, OPEN.contains(&path)) {
        (true, true) => None,
        (true, false) => Some(Scope::Read),
        (false, _) => Some(Scope::Write),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_open_is_closed() {
        assert_eq!(needed(&Method::GET, "/health/live"), None);
        assert_eq!(needed(&Method::HEAD, "/"), None);
        for (method, path, scope) in [
            (Method::GET, "/metrics", Scope::Read),
            (Method::GET, "/docs/x", Scope::Read),
            (Method::GET, "/health/live/../../config", Scope::Read),
            (Method::POST, "/commands", Scope::Write),
            (Method::POST, "/", Scope::Write),
            (Method::OPTIONS, "/docs", Scope::Write),
        ] {
            assert_eq!(needed(&method, path), Some(scope), "{method} {path}");
        }
    }
}
