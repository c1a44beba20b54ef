//! Whether the `Accept` header prefers one answer or a stream.

use ess_service::problem::{Problem, ProblemKind};
use poem::web::Accept;

use crate::question::Format;

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON answer.
    Once,
    /// Server-sent events.
    Stream,
}

impl Form {
    /// The media type of a stream.
    pub(super) const EVENT_STREAM: &str = "text/event-stream";

    /// The form that the caller prefers; one answer by default.
    ///
    /// # Errors
    /// 406 that names both.
    pub(super) fn of(accept: &Accept) -> Result<Self, Problem> {
        // poem sorts them by preference.
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
                let detail = format!("the available media types are {once}, {stream}");
                Err(Problem::new(ProblemKind::NotAcceptable, detail))
            }
        }
    }
}

/// `q=0` means not acceptable (RFC 9110, section 12.4.2).
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
    async fn a_stream_is_chosen_by_preference() {
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
