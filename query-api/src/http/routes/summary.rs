//! The answer about one track or one user: every metric over its playbacks, and the times of its first and last event.

use ess_schema::Timestamp;
use ess_service::problem::{Problem, ProblemKind};
use serde_json::{Map, Value};

use crate::{
    http::{reader::Reader, routes::report_rows::first},
    question::{Attribute, Summary},
    read::{Content, SelectError},
    sql::SpanOf,
};

impl Reader {
    /// The metrics of a track or user in a generation, as one flat object.
    ///
    /// # Errors
    /// 404 when no playback is stored, of any period; otherwise as any query.
    pub(crate) async fn summary(
        &self,
        generation: u32,
        summary: &Summary,
    ) -> Result<Content, Problem> {
        let (attribute, value) = (summary.attribute, summary.value.as_str());
        let report = summary.report();
        let span = SpanOf {
            attribute,
            value,
            period: summary.period,
        };
        let (spans, cells) = tokio::try_join!(
            self.read_model.select(generation, &span),
            self.report_cells(generation, &report),
        )?;
        let span = spans
            .into_iter()
            .next()
            .filter(|span| span.playbacks > 0)
            .ok_or_else(|| {
                let detail = format!("no playback of {} {value} is stored", attribute.name());
                Problem::new(ProblemKind::NotFound, detail)
            })?;
        let time = |millis| -> Result<Value, SelectError> {
            let time = Timestamp::from_millis(millis);
            Ok(time
                .map_err(|error| SelectError::InvalidRow(error.into()))?
                .to_string()
                .into())
        };
        let mut object = Map::new();
        object.insert(attribute.column().to_owned(), value.into());
        object.insert("first_event_at".to_owned(), time(span.earliest)?);
        object.insert("last_event_at".to_owned(), time(span.latest)?);
        if attribute == Attribute::User {
            object.insert("tracks".to_owned(), span.tracks.into());
        }
        for (column, cells) in report.columns().zip(&cells) {
            object.insert(column.name().to_owned(), first(cells));
        }
        Ok(self.open(Value::Object(object).to_string().into_bytes()))
    }
}
