//! The answer to a report: reads its rows, cuts the page and writes the table.

use ess_schema::{Timestamp, time::InvalidTime};
use ess_service::problem::Problem;

use crate::{
    http::reader::Reader,
    question::{Cursor, Dimension, Format, KeyValue, Report, ReportColumn, RowKey},
    read::{Content, SelectError},
    sql::{Cells, ReportRows},
    table::{self, Table},
};

impl Reader {
    /// One page of a report in a generation.
    ///
    /// # Errors
    /// When the read model is unavailable, or the query exceeds a limit.
    pub(crate) async fn report(
        &self,
        generation: u32,
        report: &Report,
        totals: bool,
        format: Format,
    ) -> Result<Content, Problem> {
        let rows = self.report_cells(generation, report);
        let (cells, totals) = if totals {
            let (rows, totals) = tokio::try_join!(rows, self.totals(generation, report))?;
            (rows, Some(totals))
        } else {
            (rows.await?, None)
        };
        let (cells, next) = cut(report, cells);
        let columns = report.columns().zip(cells);
        let columns = columns
            .map(|(column, cells)| column_of(column, cells))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| SelectError::InvalidRow(error.into()))?;
        Ok(Content {
            next: next.map(|key| Cursor::new(report.list(), &key)),
            totals,
            ..self.open(Table::new(columns).write(format)?)
        })
    }

    /// The columns of a report, with one row more than its limit if there are more.
    pub(super) async fn report_cells(
        &self,
        generation: u32,
        report: &Report,
    ) -> Result<Vec<Cells>, SelectError> {
        let question = ReportRows {
            report,
            threshold_ms: self.policy.counted_threshold_ms,
        };
        self.read_model.columns(generation, &question).await
    }

    /// The metrics of all rows together, as a JSON object.
    async fn totals(&self, generation: u32, report: &Report) -> Result<String, SelectError> {
        let totals = report.totals();
        let cells = self.report_cells(generation, &totals).await?;
        let mut object = serde_json::Map::new();
        for (column, cells) in totals.columns().zip(&cells) {
            object.insert(column.name().to_owned(), first(cells));
        }
        Ok(serde_json::Value::Object(object).to_string())
    }
}

/// The first value of a column as JSON.
pub(super) fn first(cells: &Cells) -> serde_json::Value {
    match cells {
        Cells::Text(cells) => cells.first().cloned().flatten().into(),
        Cells::Integer(cells) => cells.first().copied().flatten().into(),
        Cells::Number(cells) => cells.first().copied().flatten().into(),
    }
}

/// The page without the row past its end, and where the next page begins.
fn cut(report: &Report, mut cells: Vec<Cells>) -> (Vec<Cells>, Option<RowKey>) {
    let limit = usize::from(report.limit);
    if cells.first().is_none_or(|column| column.len() <= limit) {
        return (cells, None);
    }
    for column in &mut cells {
        column.truncate(limit);
    }
    let key = report.sort.iter().map(|key| {
        let column = report.position(key.by).and_then(|at| cells.get(at));
        column.map_or(KeyValue::Unknown, last)
    });
    let key = RowKey(key.collect());
    (cells, Some(key))
}

fn last(column: &Cells) -> KeyValue {
    let value = match column {
        Cells::Text(cells) => cells.last().cloned().flatten().map(KeyValue::Text),
        Cells::Integer(cells) => cells.last().copied().flatten().map(KeyValue::Integer),
        Cells::Number(cells) => {
            let number = cells.last().copied().flatten();
            number.map(|number| KeyValue::Number(number.to_bits()))
        }
    };
    value.unwrap_or(KeyValue::Unknown)
}

fn column_of(column: ReportColumn, cells: Cells) -> Result<table::Column, InvalidTime> {
    let is_time = matches!(column, ReportColumn::Dimension(Dimension::Time(_)));
    let values = match cells {
        Cells::Integer(cells) if is_time => {
            let times = cells.into_iter();
            let times = times.map(|millis| millis.map(Timestamp::from_millis).transpose());
            table::Values::Time(times.collect::<Result<_, _>>()?)
        }
        Cells::Text(cells) => table::Values::Text(cells),
        Cells::Integer(cells) => table::Values::Integer(cells),
        Cells::Number(cells) => table::Values::Number(cells),
    };
    Ok(table::Column {
        name: column.name().to_owned(),
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::{Attribute, Metric, report::tests::report};

    #[test]
    fn a_row_past_the_limit_gives_the_start_of_the_next_page() {
        let mut report = report(
            &[Metric::Plays],
            &[Dimension::Attribute(Attribute::Country)],
        );
        report.limit = 2;
        let cells = |n: i64| {
            let countries = (0..n).map(|at| (at > 0).then(|| format!("C{at}")));
            vec![
                Cells::Text(countries.collect()),
                Cells::Integer((0..n).map(Some).collect()),
            ]
        };
        let (page, next) = cut(&report, cells(2));
        assert_eq!((page[0].len(), next), (2, None));
        let (page, next) = cut(&report, cells(3));
        assert_eq!(page[1], Cells::Integer(vec![Some(0), Some(1)]));
        assert_eq!(next, Some(RowKey(vec![KeyValue::Text("C1".to_owned())])));
    }
}
