//! In which form a list is answered, by the `Accept` header (RFC 9110, section 12.5.1).

use ess_service::problem::{Problem, ProblemKind};
use poem::web::Accept;

/// A form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// One JSON array.
    Json,
    /// One JSON text a line.
    NdJson,
}

impl Format {
    const ALL: [Self; 2] = [Self::Json, Self::NdJson];

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
        }
    }

    /// The form that the caller likes best of those there are; JSON when it does not say.
    ///
    /// # Errors
    /// 406 that names those there are.
    pub(crate) fn of(Accept(ranges): &Accept) -> Result<Self, Problem> {
        let wanted = ranges.iter().filter(|range| !is_refused(range.as_ref()));
        let mut found = wanted.filter_map(|range| {
            Self::ALL
                .into_iter()
                .find(|format| format.is_in(range.essence_str()))
        });
        match found.next() {
            Some(format) => Ok(format),
            None if ranges.is_empty() => Ok(Self::Json),
            None => {
                let there_are = Self::ALL.map(Self::media_type).join(", ");
                Err(Problem::new(
                    ProblemKind::NotAcceptable,
                    format!("this is answered as {there_are}"),
                ))
            }
        }
    }

    fn is_in(self, range: &str) -> bool {
        range == self.media_type() || range == "*/*" || range == "application/*"
    }
}

/// `q=0` says what is not wanted.
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
    use poem::{FromRequest, Request};

    use super::*;

    async fn format(accept: Option<&str>) -> Result<Format, u16> {
        let mut request = Request::builder();
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let accept = Accept::from_request_without_body(&request.finish())
            .await
            .unwrap();
        Format::of(&accept).map_err(|problem| problem.status)
    }

    #[tokio::test]
    async fn the_form_liked_best_is_answered() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, expected) in [
            (None, Ok(Format::Json)),
            (Some("*/*"), Ok(Format::Json)),
            (Some(browser), Ok(Format::Json)),
            (Some("application/json; charset=utf-8"), Ok(Format::Json)),
            (Some("application/x-ndjson"), Ok(Format::NdJson)),
            (
                Some("application/json;q=0.1, application/x-ndjson"),
                Ok(Format::NdJson),
            ),
            (Some("text/csv"), Err(406)),
            (Some("application/json;q=0"), Err(406)),
        ] {
            assert_eq!(format(accept).await, expected, "{accept:?}");
        }
    }
}
