//! What one may ask who may see only one user's playbacks: lists of that user, what is told of that user, and single playbacks that
//! turn out to be theirs. Every other question is about others, too, and refused.

use std::sync::Arc;

use ess_schema::UserId;
use ess_service::{
    auth::Caller,
    problem::{Problem, ProblemKind},
};
use percent_encoding::percent_decode_str;
use poem::{Endpoint, IntoResponse, Request, Response, Result, http::StatusCode};
use serde::Deserialize;

/// What a question is about.
#[derive(Debug, PartialEq, Eq)]
enum About {
    /// The user alone.
    Them,
    /// A playback, perhaps of the user.
    Playback,
    /// Others.
    Others,
}

/// Calls `inner`, unless who asks may see one user only and the question, or its answer, is about others.
pub(crate) async fn checked<E>(inner: Arc<E>, request: Request) -> Result<Response>
where
    E: Endpoint,
{
    let Some(user) = Caller::only_user(&request).cloned() else {
        return inner.call(request).await.map(IntoResponse::into_response);
    };
    let uri = request.uri();
    match about(uri.path(), uri.query().unwrap_or_default(), &user) {
        About::Them => inner.call(request).await.map(IntoResponse::into_response),
        About::Playback => {
            let id = decoded(uri.path().rsplit('/').next().unwrap_or_default());
            theirs(inner.call(request).await?.into_response(), &id, &user).await
        }
        About::Others => Err(refused(&user).into()),
    }
}

fn about(path: &str, query: &str, user: &UserId) -> About {
    let user = user.as_str();
    if let Some(id) = path.strip_prefix("/stats/user/") {
        return if decoded(id) == user {
            About::Them
        } else {
            About::Others
        };
    }
    if path
        .strip_prefix("/stats/playback/")
        .is_some_and(|id| !id.contains('/'))
    {
        return About::Playback;
    }
    let mut named = named_users(query);
    let is_list = matches!(path, "/stats/playbacks" | "/events");
    match (is_list, named.next(), named.next()) {
        (true, Some(only), None) if only == user => About::Them,
        _ => About::Others,
    }
}

/// The values of the parameter `user_id`.
fn named_users(query: &str) -> impl Iterator<Item = String> {
    let parameters = query.split('&').map(|parameter| parameter.split_once('='));
    let named = parameters
        .flatten()
        .filter(|(name, _)| decoded(name) == "user_id");
    // A plus sign, which is a blank here, is in no user id.
    named.map(|(_, value)| decoded(value))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The answer about a playback, if it is theirs; else it is as if there were none.
async fn theirs(response: Response, id: &str, user: &UserId) -> Result<Response> {
    #[derive(Deserialize)]
    struct Playback {
        user_id: Option<String>,
    }
    // What the caller holds already it was shown once; errors tell of no one.
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = body.into_bytes().await?;
    let playback: Option<Playback> = serde_json::from_slice(&body).ok();
    if playback.and_then(|playback| playback.user_id).as_deref() == Some(user.as_str()) {
        return Ok(Response::from_parts(parts, body.into()));
    }
    let detail = format!("no event of playback {id} is stored");
    Err(Problem::new(ProblemKind::NotFound, detail).into())
}

fn refused(user: &UserId) -> Problem {
    Problem::new(
        ProblemKind::Forbidden,
        format!(
            "the token is of the user {user}, so it may ask only for /stats/user/{user}, for /stats/playbacks and /events with user_id={user}, and for single playbacks of {user}"
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
    fn what_is_not_about_the_user_alone_is_about_others() {
        for (path, query) in [
            ("/stats/user/ann", ""),
            ("/stats/user/%61nn", "after=1:2"),
            ("/stats/playbacks", "limit=1&user_id=ann"),
            ("/events", "user%5Fid=ann"),
        ] {
            assert_eq!(about(path, query, &ann()), About::Them, "{path}?{query}");
        }
        assert_eq!(about("/stats/playback/p1", "", &ann()), About::Playback);
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
            assert_eq!(about(path, query, &ann()), About::Others, "{path}?{query}");
        }
    }

    async fn asked(path: &'static str, only_user: Option<UserId>) -> StatusCode {
        let told = Arc::new(make_sync(|_| r#"{"playback_id":"p1","user_id":"bob"}"#));
        let mut request = Request::builder()
            .method(Method::GET)
            .uri_str(path)
            .finish();
        request.extensions_mut().insert(Caller {
            name: "x".into(),
            scopes: "read".parse().unwrap(),
            only_user,
        });
        match checked(told, request).await {
            Ok(response) => response.status(),
            Err(error) => error.status(),
        }
    }

    #[tokio::test]
    async fn anothers_playback_is_as_if_it_were_not_there() {
        let bob = UserId::new("bob").unwrap();
        assert_eq!(
            asked("/stats/playback/p1", Some(ann())).await,
            StatusCode::NOT_FOUND
        );
        assert_eq!(asked("/stats/playback/p1", Some(bob)).await, StatusCode::OK);
        assert_eq!(
            asked("/stats/top", Some(ann())).await,
            StatusCode::FORBIDDEN
        );
        assert_eq!(asked("/stats/top", None).await, StatusCode::OK);
    }
}
