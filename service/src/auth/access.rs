//! The scope that a request needs: one rule for all services. A new route needs a scope unless it is listed here.

use poem::http::Method;

use super::Scope;

/// Paths without authentication: health checks and documentation.
const PUBLIC_PATHS: [&str; 5] = [
    "/",
    "/docs",
    "/openapi.json",
    "/health/live",
    "/health/ready",
];

/// The scope that `method` on `path` needs; none: no credentials.
pub(super) fn required_scope(method: &Method, path: &str) -> Option<Scope> {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    match (is_read, PUBLIC_PATHS.contains(&path)) {
        (true, true) => None,
        (true, false) => Some(Scope::Read),
        (false, _) => Some(Scope::Write),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_that_is_not_public_needs_a_scope() {
        assert_eq!(required_scope(&Method::GET, "/health/live"), None);
        assert_eq!(required_scope(&Method::HEAD, "/"), None);
        for (method, path, scope) in [
            (Method::GET, "/metrics", Scope::Read),
            (Method::GET, "/docs/x", Scope::Read),
            (Method::GET, "/health/live/../../config", Scope::Read),
            (Method::POST, "/commands", Scope::Write),
            (Method::POST, "/", Scope::Write),
            (Method::OPTIONS, "/docs", Scope::Write),
        ] {
            assert_eq!(
                required_scope(&method, path),
                Some(scope),
                "{method} {path}"
            );
        }
    }
}
