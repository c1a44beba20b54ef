//! The schema of one row of a report or ranking. `table` writes the rows.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};

use super::{Described, described::Named};
use crate::question::{Attribute, Dimension, Metric, TimeBucket};

/// Names the schema.
pub(crate) struct ReportRow;

fn metric(metric: Metric) -> MetaSchema {
    let declaration = metric.declaration();
    let schema = if declaration.aggregate.is_count() {
        MetaSchema::new_with_format("integer", "int64")
    } else {
        MetaSchema {
            nullable: true,
            ..MetaSchema::new_with_format("number", "double")
        }
    };
    MetaSchema {
        description: Some(declaration.description),
        minimum: Some(0.0),
        ..schema
    }
}

/// A value of a metric as JSON.
pub(super) fn value(metric: Metric, value: f64) -> serde_json::Value {
    if metric.declaration().aggregate.is_count() {
        (value as i64).into()
    } else {
        value.into()
    }
}

fn dimension(dimension: Dimension) -> MetaSchema {
    match dimension {
        Dimension::Time(bucket) => MetaSchema {
            description: Some(bucket.declaration().description),
            ..MetaSchema::new_with_format("string", "date-time")
        },
        Dimension::Attribute(attribute) => MetaSchema {
            description: Some(attribute.declaration().description),
            nullable: true,
            ..MetaSchema::new("string")
        },
    }
}

/// The metrics, each with its name and schema.
pub(super) fn metrics() -> Vec<(&'static str, MetaSchemaRef)> {
    let inline = |schema| MetaSchemaRef::Inline(Box::new(schema));
    let each = Metric::ALL.into_iter();
    each.map(|of| (of.name(), inline(metric(of)))).collect()
}

/// A row by day and country.
fn example(metrics: &[Metric]) -> serde_json::Value {
    let country = Attribute::Country.declaration();
    let dimensions = [
        (TimeBucket::Day.name(), "2026-11-23T00:00:00.000Z".into()),
        (country.name, country.example.into()),
    ];
    let metrics = metrics
        .iter()
        .map(|of| (of.name(), value(*of, of.declaration().example)));
    let row = dimensions.into_iter().chain(metrics);
    row.map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Described for ReportRow {
    fn schema() -> MetaSchema {
        let inline = |schema| MetaSchemaRef::Inline(Box::new(schema));
        let dimensions = Dimension::all().map(|of| (of.name(), inline(dimension(of))));
        MetaSchema {
            description: Some("The requested dimensions and metrics, and no others."),
            properties: dimensions.chain(metrics()).collect(),
            example: Some(example(&[Metric::Plays, Metric::AvgPlayedMs])),
            ..MetaSchema::new("object")
        }
    }
}

impl Named for ReportRow {
    const NAME: &'static str = "ReportRow";
}
