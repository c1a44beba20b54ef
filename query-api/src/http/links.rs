//! Links from one page of a list to the next.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::Request;

use crate::question::Cursor;

/// The characters that stand for themselves in a query (RFC 3986, unreserved).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The path and parameters of `request`, with `cursor` in the place of its cursor or offset.
pub(super) fn next_page(request: &Request, cursor: &Cursor) -> String {
    let given: Vec<(String, String)> = request.params().unwrap_or_default();
    url(request.original_uri().path(), given, cursor)
}

fn url(path: &str, given: Vec<(String, String)>, cursor: &Cursor) -> String {
    let conditions = given
        .into_iter()
        .filter(|(name, _)| name != "offset" && name != "cursor");
    let all = conditions.chain([("cursor".to_owned(), cursor.to_string())]);
    let pairs: Vec<_> = all
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(&value, QUERY)))
        .collect();
    format!("{}?{}", path.trim_end_matches('/'), pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use ess_schema::{EventId, Source, Timestamp};

    use super::*;
    use crate::question::{EventFilter, EventKey};

    #[test]
    fn the_next_page_has_the_same_conditions_and_another_cursor() {
        let key = EventKey {
            occurred_at: Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap(),
            source: Source::command_api(),
            event_id: EventId::new("e1").unwrap(),
        };
        let given = [
            ("limit", "2"),
            ("offset", "4"),
            ("user_id", "я \""),
            ("after", "7:1"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let cursor = Cursor::new(EventFilter::default().list(), &key);
        let expected = format!("/events?limit=2&user_id=%D1%8F%20%22&after=7%3A1&cursor={cursor}");
        assert_eq!(url("/events/", given.into(), &cursor), expected);
    }
}
