//! The format of an answer, negotiated by the `Accept` header (RFC 9110, section 12.5.1): the offered format with the greatest
//! quality.

use ess_service::problem::{Problem, ProblemKind};
use poem::web::Accept;

use crate::question::Format;

impl Format {
    /// The offered format that the caller prefers, by default the first. Of formats with equal quality it is the one named most
    /// specifically, then the one named first.
    ///
    /// # Errors
    /// 406 that names the offered media types.
    pub(super) fn of(Accept(ranges): &Accept, offered: &[Self]) -> Result<Self, Problem> {
        let ranges: Vec<Range<'_>> = if ranges.is_empty() {
            vec![Range::ANYTHING]
        } else {
            ranges
                .iter()
                .map(|range| Range::new(range.as_ref()))
                .collect()
        };
        let acceptable = offered
            .iter()
            .filter_map(|format| Some((format.preference(&ranges)?, *format)));
        // The first of the greatest, where max_by would take the last.
        let best = acceptable.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, format)| format).ok_or_else(|| {
            let offered: Vec<_> = offered.iter().map(|format| format.media_type()).collect();
            Problem::new(
                ProblemKind::NotAcceptable,
                format!("the available media types are {}", offered.join(", ")),
            )
        })
    }

    /// The caller's preference for this format: the quality of the range that names it most specifically. `None` if it is not
    /// acceptable.
    fn preference(self, ranges: &[Range<'_>]) -> Option<Preference> {
        let naming = ranges.iter().enumerate().filter_map(|(at, range)| {
            let specificity = range.specificity(self.media_type())?;
            Some((specificity, std::cmp::Reverse(at), range.quality))
        });
        let (specificity, at, quality) = naming.max()?;
        (quality > 0).then_some((quality, specificity, at))
    }
}

/// Quality, specificity, and how early it is named; compared in this order.
type Preference = (u16, u8, std::cmp::Reverse<usize>);

/// One media range, e.g. `text/*;q=0.8`. Parameters of the media type itself are ignored: no format has any.
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

    /// How specifically it names a media type; `None` if it does not.
    fn specificity(&self, media_type: &str) -> Option<u8> {
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

/// The weight, if this parameter is the weight.
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
    async fn the_preferred_format_is_chosen() {
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
            // The most specific range counts.
            (Some("*/*, application/json;q=0"), Format::NdJson),
            (
                Some("application/*;q=0.9, application/json;q=0.1, text/*;q=0.5"),
                Format::NdJson,
            ),
            (
                Some("text/*;q=0.3, text/csv;q=0.7, application/json;q=0.5"),
                Format::Csv,
            ),
            // Equal quality.
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
    async fn an_unavailable_media_type_is_refused_with_the_available_ones() {
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
                "the available media types are text/csv, application/json"
            );
        }
    }
}
