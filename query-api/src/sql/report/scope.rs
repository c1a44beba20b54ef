//! The rows of `playbacks` that a question selects: the conditions of its period and its filters. Values are always bound.

use std::{borrow::Cow, fmt::Write as _};

use ess_schema::Timestamp;

use crate::{
    question::{Filter, Period},
    sql::{Sql, Value},
};

/// A playback lies in one partition, the day of its first event, so that partitions can be read one by one. A skipping index must not
/// let an older row of the same playback through.
pub(crate) const FINAL_SETTINGS: &[(&str, &str)] = &[
    ("do_not_merge_across_partitions_select_final", "1"),
    ("use_skip_indexes_if_final", "1"),
    ("use_skip_indexes_if_final_exact_mode", "1"),
    ("output_format_json_quote_64bit_integers", "0"),
    ("output_format_json_quote_denormals", "0"),
];

/// The last day that ClickHouse's `Date` can hold.
const LAST_DAY_MS: i64 = 65_535 * 86_400_000;

/// Conditions and their bound values.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    conditions: Vec<String>,
    values: Vec<(Cow<'static, str>, Value)>,
    pub(super) period: Period,
}

impl Scope {
    /// The playbacks that began in this period and meet these filters.
    pub(crate) fn new(period: Period, filters: &[Filter]) -> Self {
        let mut scope = Self {
            period,
            ..Self::default()
        };
        for (number, filter) in filters.iter().enumerate() {
            scope.filter(filter, format!("f{number}"));
        }
        scope
    }

    fn filter(&mut self, filter: &Filter, name: String) {
        match filter {
            Filter::Attribute {
                attribute,
                is_in,
                values,
            } => {
                let (column, not) = (attribute.column(), if *is_in { "" } else { "NOT " });
                self.conditions
                    .push(format!("{column} {not}IN {{{name}:Array(String)}}"));
                self.bind(name, values.clone());
            }
            Filter::Number {
                column,
                comparison,
                value,
            } => {
                self.conditions
                    .push(format!("ifNull({column} {comparison} {{{name}:Int64}}, 0)"));
                self.bind(name, *value);
            }
        }
    }

    /// Binds the value of a parameter in a condition.
    pub(crate) fn bind(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.values.push((name.into(), value.into()));
    }

    /// Adds a condition.
    pub(crate) fn and(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Binds a time, at most the latest that a `Date` can hold.
    fn bind_time(&mut self, name: &'static str, time: Timestamp) {
        self.bind(name, time.as_millis().min(LAST_DAY_MS));
    }

    /// Adds the conditions of having begun before the end of the period.
    pub(super) fn began_before_end(&mut self) {
        if let Some(to) = self.period.to {
            self.and("first_event_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')");
            self.and("day <= toDate(fromUnixTimestamp64Milli({to:Int64}, 'UTC'))");
            self.bind_time("to", to);
        }
    }

    /// The rows that began in the period and meet the filters, as a source of a SELECT.
    pub(crate) fn playbacks(&mut self) -> String {
        if let Some(from) = self.period.from {
            self.and("first_event_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')");
            self.and("day >= toDate(fromUnixTimestamp64Milli({from:Int64}, 'UTC'))");
            self.bind_time("from", from);
        }
        self.began_before_end();
        format!("playbacks FINAL\n{}", self.wheres())
    }

    /// A suffix for a condition that restricts it to playbacks that began in the period.
    pub(super) fn began_in(&mut self, period: Period) -> String {
        let bounds = [("from", ">=", period.from), ("to", "<", period.to)];
        let mut text = String::new();
        for (name, comparison, bound) in bounds {
            if let Some(bound) = bound {
                let _ = write!(
                    text,
                    " AND first_event_at {comparison} fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')"
                );
                self.bind_time(name, bound);
            }
        }
        text
    }

    /// The rows of playbacks that last into the period and meet the filters.
    pub(super) fn present(&mut self) -> String {
        if let Some(from) = self.period.from {
            self.and("last_event_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')");
            self.bind_time("from", from);
        }
        self.began_before_end();
        format!("playbacks FINAL\n{}", self.wheres())
    }

    fn wheres(&self) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        format!("WHERE {}\n", self.conditions.join("\n    AND "))
    }

    /// The statement with the bound values.
    pub(crate) fn bound(self, text: String) -> Sql {
        let mut sql = Sql::new(text);
        for (name, value) in self.values {
            sql = sql.bind(name, value);
        }
        sql
    }
}
