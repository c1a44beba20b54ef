//! Which rows of `playbacks` a question is about: the conditions of a period and of filters, their values bound.

use std::fmt::Write as _;

use ess_schema::Timestamp;

use crate::{
    question::{Filter, MOST_FILTERS, Period},
    sql::{Sql, Value},
};

/// A playback is in one partition, the day of its first event, so partitions are read each by itself; and an index that skips a row
/// must not make an older one of the same playback stand.
pub(crate) const FINAL_SETTINGS: &[(&str, &str)] = &[
    ("do_not_merge_across_partitions_select_final", "1"),
    ("use_skip_indexes_if_final", "1"),
    ("use_skip_indexes_if_final_exact_mode", "1"),
    ("output_format_json_quote_64bit_integers", "0"),
    ("output_format_json_quote_denormals", "0"),
];

/// The last day that the read model's type of a day can name.
const LAST_DAY_MS: i64 = 65_535 * 86_400_000;

/// Names of bound values: as many as there can be filters.
const NAMES: [&str; MOST_FILTERS] = [
    "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13", "f14",
    "f15", "f16", "f17", "f18", "f19",
];

/// Conditions and the values bound in them.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    conditions: Vec<String>,
    values: Vec<(&'static str, Value)>,
    pub(super) period: Period,
}

impl Scope {
    /// Of the playbacks that began in this period and meet these filters.
    pub(crate) fn new(period: Period, filters: &[Filter]) -> Self {
        let mut scope = Self {
            period,
            ..Self::default()
        };
        for (filter, name) in filters.iter().zip(NAMES) {
            scope.filter(filter, name);
        }
        scope
    }

    fn filter(&mut self, filter: &Filter, name: &'static str) {
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

    /// Binds a value that a condition names.
    pub(crate) fn bind(&mut self, name: &'static str, value: impl Into<Value>) {
        self.values.push((name, value.into()));
    }

    /// Adds a condition.
    pub(crate) fn and(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// The latest time that a day can be made of.
    fn bind_time(&mut self, name: &'static str, time: Timestamp) {
        self.bind(name, time.as_millis().min(LAST_DAY_MS));
    }

    /// The conditions of having begun before the period's end.
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

    /// What is to be added to a condition of its own so that it holds for those only that began in a period.
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

    /// The rows that were there at some moment of the period and meet the filters.
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

    /// The statement with the values that were bound.
    pub(crate) fn bound(self, text: String) -> Sql {
        let mut sql = Sql::new(text);
        for (name, value) in self.values {
            sql = sql.bind(name, value);
        }
        sql
    }
}
