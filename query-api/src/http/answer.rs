//! A kept answer as HTTP tells it: entity tag and 304, how long and since when it holds, and how fresh the read model was.
//! Documented here, too, so that what is sent and what is promised stand side by side.

mod documented;

pub(crate) use self::documented::{Document, header as described_header};
use std::{marker::PhantomData, sync::Arc};

use poem::{
    IntoResponse, Response,
    http::{HeaderValue, StatusCode, header},
};

use crate::{question::Format, read::Kept};

/// The header that tells how fresh the read model was at least.
pub(crate) const WATERMARK: &str = "ess-watermark";

/// The header that tells what all pages of a report come to together.
pub(crate) const TOTALS: &str = "ess-totals";

/// An answer that documents itself as `D`.
pub(crate) struct Answer<D> {
    kept: Arc<Kept>,
    format: Format,
    known_to_caller: bool,
    next: Option<String>,
    document: PhantomData<D>,
}

impl<D: Document> Answer<D> {
    /// What is kept, or that the caller knows it already: `if_none_match` lists the entity tags that it holds.
    pub(crate) fn new(if_none_match: Option<&str>, kept: Arc<Kept>, format: Format) -> Self {
        Self {
            known_to_caller: if_none_match.is_some_and(|tags| names(tags, &kept.etag)),
            kept,
            format,
            next: None,
            document: PhantomData,
        }
    }

    /// The same answer; `next` is the URL of the page that follows it.
    pub(crate) fn followed_by(self, next: Option<String>) -> Self {
        Self { next, ..self }
    }
}

/// Whether this list names this tag (RFC 9110, section 13.1.2: by weak comparison).
fn names(list: &str, etag: &HeaderValue) -> bool {
    let mut tags = list
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

impl<D: Document> IntoResponse for Answer<D> {
    fn into_response(self) -> Response {
        let Self {
            kept,
            format,
            known_to_caller,
            next,
            document: _,
        } = self;
        let mut response = Response::builder()
            .header(header::ETAG, &kept.etag)
            .header(header::CACHE_CONTROL, &kept.cache_control)
            .header(header::AGE, kept.age())
            .header(WATERMARK, &kept.watermark);
        if D::CHOOSES_FORMAT {
            response = response.header(header::VARY, "Accept");
        }
        if let Some(totals) = &kept.totals {
            response = response.header(TOTALS, totals);
        }
        if let Some(next) = next {
            response = response.header(header::LINK, format!("<{next}>; rel=\"next\""));
        }
        if known_to_caller {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response
            .content_type(format.content_type())
            .body(kept.body.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(list: &str) -> bool {
        names(list, &HeaderValue::from_static("\"abc\""))
    }

    #[test]
    fn a_tag_the_caller_holds_is_known_in_every_way_of_writing() {
        for held in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(known(held), "{held}");
        }
        for other in ["\"ab\"", "abc", "", "\"x\""] {
            assert!(!known(other), "{other}");
        }
    }
}
