//! Restricts callers that are bound to one user: they may read lists of that user, the statistics of that user, and single
//! playbacks of that user. Every other request concerns other users and is refused.

use std::sync::Arc;

use ess_schema::UserId;
use ess_service::{
    auth::Caller,
    problem::{Problem, ProblemKind},
};
use percent_encoding::percent_decode_str;
use poem::{Endpoint, IntoResponse, Request, Response, Result, http::StatusCode};
use serde::Deserialize;

/// Whose data a request concerns.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    /// Only the user's.
    User,
    /// One playback; the response says whose.
    Playback,
    /// Other users', too.
    Others,
}

/// Calls `inner`, unless the caller is bound to one user and the request, or its response, concerns others.
pub(crate) async fn checked<E>(inner: Arc<E>, request: Request) -> Result<Response>
where
    E: Endpoint,
{
    let Some(user) = Caller::only_user(&request).cloned() else {
        return inner.call(request).await.map(IntoResponse::into_response);
    };
    let uri = request.uri();
    match subject(uri.path(), uri.query().unwrap_or_default(), &user) {
        Subject::User => inner.call(request).await.map(IntoResponse::into_response),
        Subject::Playback => {
            let id = decoded(uri.path().rsplit('/').next().unwrap_or_default());
            require_owner(inner.call(request).await?.into_response(), &id, &user).await
        }
        Subject::Others => Err(forbidden(&user).into()),
    }
}

fn subject(path: &str, query: &str, user: &UserId) -> Subject {
    let user = user.as_str();
    if let Some(id) = path.strip_prefix("/stats/user/") {
        return if decoded(id) == user {
            Subject::User
        } else {
            Subject::Others
        };
    }
    if path
        .strip_prefix("/stats/playback/")
        .is_some_and(|id| !id.contains('/'))
    {
        return Subject::Playback;
    }
    let mut named = named_users(query);
    let is_list = matches!(path, "/stats/playbacks" | "/events");
    match (is_list, named.next(), named.next()) {
        (true, Some(only), None) if only == user => Subject::User,
        _ => Subject::Others,
    }
}

/// The values of the parameter `user_id`.
fn named_users(query: &str) -> impl Iterator<Item = String> {
    let parameters = query.split('&').map(|parameter| parameter.split_once('='));
    let named = parameters
        .flatten()
        .filter(|(name, _)| decoded(name) == "user_id");
    // A plus sign would be a space here, but no user id contains a space.
    named.map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The response, if its playback is the user's; otherwise 404, as for an unknown playback.
async fn require_owner(response: Response, id: &str, user: &UserId) -> Result<Response> {
    #[derive(Deserialize)]
    struct Owned {
        user_id: Option<String>,
    }
    // For 304 the caller received the body before; errors contain no user's data.
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = body.into_bytes().await?;
    let playback: Option<Owned> = serde_json::from_slice(&body).ok();
    if playback.and_then(|playback| playback.user_id).as_deref() == Some(user.as_str()) {
        return Ok(Response::from_parts(parts, body.into()));
    }
    let detail = format!("no event of playback {id} is stored");
    Err(Problem::new(ProblemKind::NotFound, detail).into())
}

fn forbidden(user: &UserId) -> Problem {
    Problem::new(
        ProblemKind::Forbidden,
        format!(
            "the token belongs to user {user} and may read only /stats/user/{user}, /stats/playbacks and /events with user_id={user}, and single playbacks of {user}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use poem::{endpoint::make_sync, http::Method};

    use super::*;

    fn ann() -> UserId {
        UserId::new("ann").unwrap()
    }

    #[test]
    fn a_request_that_does_not_name_only_the_user_concerns_others() {
        for (path, query) in [
            ("/stats/user/ann", ""),
            ("/stats/user/%61nn", "after=1:2"),
            ("/stats/playbacks", "limit=1&user_id=ann"),
            ("/events", "user%5Fid=ann"),
        ] {
            assert_eq!(
                subject(path, query, &ann()),
                Subject::User,
                "{path}?{query}"
            );
        }
        assert_eq!(subject("/stats/playback/p1", "", &ann()), Subject::Playback);
        for (path, query) in [
            ("/stats/user/bob", ""),
            ("/stats/user/ann/", "user_id=ann"),
            ("/stats/playbacks", ""),
            ("/stats/playbacks", "user_id=bob"),
            ("/stats/playbacks", "user_id=ann&user_id=bob"),
            ("/stats/playbacks", "user_id=ann&user%5fid=bob"),
            ("/stats/report", "user_id=ann"),
            ("/stats/live", ""),
            ("/events/e1", "user_id=ann"),
            ("/metrics", ""),
        ] {
            assert_eq!(
                subject(path, query, &ann()),
                Subject::Others,
                "{path}?{query}"
            );
        }
    }

    async fn status(path: &'static str, only_user: Option<UserId>) -> StatusCode {
        let endpoint = Arc::new(make_sync(|_| r#"{"playback_id":"p1","user_id":"bob"}"#));
        let mut request = Request::builder()
            .method(Method::GET)
            .uri_str(path)
            .finish();
        request.extensions_mut().insert(Caller {
            name: "x".into(),
            scopes: "read".parse().unwrap(),
            only_user,
        });
        match checked(endpoint, request).await {
            Ok(response) => response.status(),
            Err(error) => error.status(),
        }
    }

    #[tokio::test]
    async fn the_playback_of_another_user_is_404() {
        let bob = UserId::new("bob").unwrap();
        assert_eq!(
            status("/stats/playback/p1", Some(ann())).await,
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            status("/stats/playback/p1", Some(bob)).await,
            StatusCode::OK
        );
        assert_eq!(
            status("/stats/top", Some(ann())).await,
            StatusCode::FORBIDDEN
        );
        assert_eq!(status("/stats/top", None).await, StatusCode::OK);
    }
}
