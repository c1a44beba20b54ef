//! A cached answer as an HTTP response: entity tag and 304, lifetime and age, watermark and the link to the next page.

use poem::{
    Request, Response,
    http::{HeaderValue, StatusCode, header},
};

use super::links::next_page;
use crate::{question::Format, read::CachedAnswer};

/// The header with the generation and freshness of the read model.
const WATERMARK: &str = "ess-watermark";
/// The header with the totals of a report.
const TOTALS: &str = "ess-totals";

/// The response to a request; 304 without a body if the caller holds the answer.
pub(super) fn respond(
    request: &Request,
    answer: &CachedAnswer,
    format: Format,
    is_negotiated: bool,
) -> Response {
    let mut response = Response::builder()
        .header(header::ETAG, &answer.etag)
        .header(header::CACHE_CONTROL, &answer.cache_control)
        .header(header::AGE, answer.age())
        .header(WATERMARK, &answer.watermark);
    if is_negotiated {
        response = response.header(header::VARY, "Accept");
    }
    if let Some(totals) = &answer.totals {
        response = response.header(TOTALS, totals);
    }
    if let Some(cursor) = &answer.next {
        let next = next_page(request, cursor);
        response = response.header(header::LINK, format!("<{next}>; rel=\"next\""));
    }
    if is_current(request, &answer.etag) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response
        .content_type(format.content_type())
        .body(answer.body.clone())
}

fn is_current(request: &Request, etag: &HeaderValue) -> bool {
    let tags = request.headers().get(header::IF_NONE_MATCH);
    let tags = tags.and_then(|tags| tags.to_str().ok());
    tags.is_some_and(|tags| names(tags, etag))
}

/// Whether this list names this tag (RFC 9110, section 13.1.2: by weak comparison).
fn names(list: &str, etag: &HeaderValue) -> bool {
    let mut tags = list
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_tag_is_found_in_every_notation() {
        let named = |list: &str| names(list, &HeaderValue::from_static("\"abc\""));
        for held in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(named(held), "{held}");
        }
        for other in ["\"ab\"", "abc", "", "\"x\""] {
            assert!(!named(other), "{other}");
        }
    }
}
