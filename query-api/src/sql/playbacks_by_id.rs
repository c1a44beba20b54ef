//! Playbacks by id.

use ess_schema::PlaybackId;

use super::{PlaybackStates, Select, Sql, playback_states::STORED};

/// Selects the playbacks with these ids. Unknown ids have no row.
#[derive(Debug)]
pub(crate) struct PlaybacksById(pub(crate) Vec<PlaybackId>);

impl Select for PlaybacksById {
    type Row = PlaybackStates;
    const NAME: &'static str = "playbacks_by_id";
    const UNBOUNDED: bool = false;

    fn to_sql(&self) -> Sql {
        let ids: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        // It reads a few granules, so more threads only cost their start. Most of the time is planning, which the older analyzer does
        // faster. A server without it ignores the setting.
        Sql::new(STORED)
            .bind("playback_ids", ids)
            .with(&[("max_threads", "1"), ("enable_analyzer", "0")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::shown;

    #[test]
    fn ids_are_bound_never_spliced() {
        let nasty = PlaybackId::new(r"'\`;--").unwrap();
        let plain = PlaybackId::new("p1").unwrap();
        insta::assert_snapshot!(shown(&PlaybacksById(vec![plain, nasty]).to_sql()));
    }
}
