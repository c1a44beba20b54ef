//! In which form an answer is given, by the `Accept` header (RFC 9110, section 12.5.1): of the forms that a path offers, the
//! one whose quality is greatest.

use ess_service::problem::{Problem, ProblemKind};
use poem::web::Accept;

use crate::question::Format;

impl Format {
    /// The form that the caller likes best of those offered; the first of them when it does not say. Of forms liked alike it
    /// is the one named most exactly, then the one named first.
    ///
    /// # Errors
    /// 406 that names those offered.
    pub(crate) fn of(Accept(ranges): &Accept, offered: &[Self]) -> Result<Self, Problem> {
        let ranges: Vec<Range<'_>> = if ranges.is_empty() {
            vec![Range::ANYTHING]
        } else {
            ranges
                .iter()
                .map(|range| Range::new(range.as_ref()))
                .collect()
        };
        let liked = offered
            .iter()
            .filter_map(|format| Some((format.liking(&ranges)?, *format)));
        // The first of the greatest, where max_by would take the last.
        let best = liked.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, format)| format).ok_or_else(|| {
            let there_are: Vec<_> = offered.iter().map(|format| format.media_type()).collect();
            Problem::new(
                ProblemKind::NotAcceptable,
                format!("this is answered as {}", there_are.join(", ")),
            )
        })
    }

    /// How much the caller likes this form: by the range that names it most exactly. `None` when it does not want it.
    fn liking(self, ranges: &[Range<'_>]) -> Option<Liking> {
        let naming = ranges.iter().enumerate().filter_map(|(at, range)| {
            let exactness = range.exactness(self.media_type())?;
            Some((exactness, std::cmp::Reverse(at), range.quality))
        });
        let (exactness, at, quality) = naming.max()?;
        (quality > 0).then_some((quality, exactness, at))
    }
}

/// Quality, exactness, and how early it is named; compared in this order.
type Liking = (u16, u8, std::cmp::Reverse<usize>);

/// What a caller accepts, e.g. `text/*;q=0.8`. Parameters of the media type itself are passed over: no form has any.
struct Range<'a> {
    essence: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    const ANYTHING: Self = Self {
        essence: "*/*",
        quality: 1_000,
    };

    fn new(range: &'a str) -> Self {
        let mut parts = range.split(';').map(str::trim);
        Self {
            essence: parts.next().unwrap_or_default(),
            quality: parts.find_map(quality).unwrap_or(Self::ANYTHING.quality),
        }
    }

    /// How exactly it names a media type; `None` when it does not.
    fn exactness(&self, media_type: &str) -> Option<u8> {
        if self.essence.eq_ignore_ascii_case(media_type) {
            return Some(2);
        }
        match self.essence.strip_suffix("/*")? {
            "*" => Some(0),
            kind => media_type
                .split_once('/')?
                .0
                .eq_ignore_ascii_case(kind)
                .then_some(1),
        }
    }
}

/// The weight that a parameter tells, if it is the one that does.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let weight: f32 = name
        .trim()
        .eq_ignore_ascii_case("q")
        .then(|| value.trim().parse().ok())??;
    Some((weight.clamp(0.0, 1.0) * 1_000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use poem::{FromRequest, Request};

    use super::*;

    async fn format(accept: Option<&str>, offered: &[Format]) -> Result<Format, Problem> {
        let mut request = Request::builder();
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let accept = Accept::from_request_without_body(&request.finish())
            .await
            .unwrap();
        Format::of(&accept, offered)
    }

    #[tokio::test]
    async fn the_form_liked_best_is_answered() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, expected) in [
            (None, Format::Json),
            (Some("*/*"), Format::Json),
            (Some(browser), Format::Json),
            (Some("application/json; charset=utf-8"), Format::Json),
            (Some("application/x-ndjson"), Format::NdJson),
            (Some("text/csv"), Format::Csv),
            (Some("TEXT/CSV; charset=utf-8"), Format::Csv),
            (Some("text/*"), Format::Csv),
            (Some("application/vnd.apache.parquet"), Format::Parquet),
            (
                Some("application/json;q=0.1, application/x-ndjson"),
                Format::NdJson,
            ),
            (
                Some("application/json;q=0.1, text/csv;q=0.2, */*;q=0.05"),
                Format::Csv,
            ),
            // What is named exactly counts, not what a wider range says of it.
            (Some("*/*, application/json;q=0"), Format::NdJson),
            (
                Some("application/*;q=0.9, application/json;q=0.1, text/*;q=0.5"),
                Format::NdJson,
            ),
            (
                Some("text/*;q=0.3, text/csv;q=0.7, application/json;q=0.5"),
                Format::Csv,
            ),
            // Liked alike.
            (Some("*/*, text/csv"), Format::Csv),
            (
                Some("application/vnd.apache.parquet, text/csv"),
                Format::Parquet,
            ),
            (Some("text/csv;q=0.5, application/json;q=0.5"), Format::Csv),
        ] {
            assert_eq!(
                format(accept, &Format::ALL).await.unwrap(),
                expected,
                "{accept:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_not_offered_is_refused_with_what_is() {
        let offered = [Format::Csv, Format::Json];
        assert_eq!(format(None, &offered).await.unwrap(), Format::Csv);
        for accept in [
            "application/x-ndjson",
            "text/html",
            "text/csv;q=0, application/*;q=0.000",
            "*/*;q=0",
            "csv/*",
        ] {
            let problem = format(Some(accept), &offered).await.unwrap_err();
            assert_eq!(problem.status, 406, "{accept}");
            assert_eq!(
                problem.detail,
                "this is answered as text/csv, application/json"
            );
        }
    }
}
