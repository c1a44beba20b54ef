//! Once or as a stream, by the `Accept` header.

use ess_service::problem::{Problem, ProblemKind};
use poem::web::Accept;

use crate::question::Format;

/// How what is playing now is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Once, as JSON.
    Once,
    /// Again and again.
    Stream,
}

impl Form {
    /// The media type of a stream.
    pub(super) const EVENT_STREAM: &str = "text/event-stream";

    /// The form that the caller likes best; once when it does not say.
    ///
    /// # Errors
    /// 406 that names both.
    pub(super) fn of(accept: &Accept) -> Result<Self, Problem> {
        // They come in the order of preference.
        let mut ranges = accept.0.iter().filter(|range| !is_refused(range.as_ref()));
        let form = ranges.find_map(|range| match range.essence_str() {
            Self::EVENT_STREAM | "text/*" => Some(Self::Stream),
            "*/*" | "application/*" | "application/json" => Some(Self::Once),
            _ => None,
        });
        match form {
            Some(form) => Ok(form),
            None if accept.0.is_empty() => Ok(Self::Once),
            None => {
                let (once, stream) = (Format::Json.media_type(), Self::EVENT_STREAM);
                let detail = format!("this is answered as {once}, {stream}");
                Err(Problem::new(ProblemKind::NotAcceptable, detail))
            }
        }
    }
}

/// `q=0` says what is not wanted (RFC 9110, section 12.4.2).
fn is_refused(range: &str) -> bool {
    let quality = range
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("q="));
    quality
        .filter_map(|q| q.parse::<f32>().ok())
        .any(|q| q == 0.0)
}

#[cfg(test)]
mod tests {
    use poem::{FromRequest as _, Request};

    use super::*;

    async fn form(accept: Option<&str>) -> Result<Form, u16> {
        let mut request = Request::builder();
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let accept = Accept::from_request_without_body(&request.finish()).await;
        Form::of(&accept.unwrap()).map_err(|problem| problem.status)
    }

    #[tokio::test]
    async fn it_is_a_stream_for_those_who_like_that_better() {
        for (accept, expected) in [
            (None, Ok(Form::Once)),
            (Some("*/*"), Ok(Form::Once)),
            (Some("text/event-stream"), Ok(Form::Stream)),
            (Some("text/event-stream, */*;q=0.1"), Ok(Form::Stream)),
            (
                Some("text/event-stream;q=0.5, application/json"),
                Ok(Form::Once),
            ),
            (Some("text/html, text/event-stream;q=0"), Err(406)),
        ] {
            assert_eq!(form(accept).await, expected, "{accept:?}");
        }
    }
}
