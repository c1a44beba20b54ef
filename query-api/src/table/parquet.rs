//! A table as Apache Parquet: one row group, every column optional and compressed with Snappy, which every reader supports. Texts are
//! STRING, times TIMESTAMP(MILLIS, UTC), embedded JSON is JSON (parquet-format, LogicalTypes.md).

use std::sync::Arc;

use ess_schema::Timestamp;
use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};

use super::{Column, Table, Values, WriteError};

/// The file.
pub(super) fn write(table: &Table) -> Result<Vec<u8>, WriteError> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("ess-query-api version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer =
        SerializedFileWriter::new(Vec::new(), schema(&table.columns)?, Arc::new(properties))?;
    if table.rows > 0 {
        let mut group = writer.next_row_group()?;
        for column in &table.columns {
            let Some(mut chunk) = group.next_column()? else {
                break;
            };
            write_values(&mut chunk, &column.values, table.rows)?;
            chunk.close()?;
        }
        group.close()?;
    }
    Ok(writer.into_inner()?)
}

fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|column| field(column).map(Arc::new));
    let schema = Type::group_type_builder("schema").with_fields(fields.collect::<Result<_, _>>()?);
    schema.build().map(Arc::new)
}

fn field(Column { name, values }: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match values {
        Values::Text(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        Values::Integer(_) => (PhysicalType::INT64, None),
        Values::Number(_) => (PhysicalType::DOUBLE, None),
        Values::Flag(_) => (PhysicalType::BOOLEAN, None),
        Values::Time(_) => (
            PhysicalType::INT64,
            Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
        ),
        Values::Json(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::Json)),
    };
    Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

fn write_values(
    chunk: &mut SerializedColumnWriter<'_>,
    values: &Values,
    rows: usize,
) -> Result<(), ParquetError> {
    match values {
        Values::Text(texts) => {
            let bytes = |text: &Option<String>| text.as_deref().map(ByteArray::from);
            write_column::<ByteArrayType>(chunk, texts.iter().take(rows).map(bytes))
        }
        Values::Integer(numbers) => {
            write_column::<Int64Type>(chunk, numbers.iter().take(rows).copied())
        }
        Values::Number(numbers) => {
            let finite = |number: &Option<f64>| number.filter(|number| number.is_finite());
            write_column::<DoubleType>(chunk, numbers.iter().take(rows).map(finite))
        }
        Values::Flag(flags) => write_column::<BoolType>(chunk, flags.iter().take(rows).copied()),
        Values::Time(times) => {
            let millis = times
                .iter()
                .take(rows)
                .map(|time| time.map(Timestamp::as_millis));
            write_column::<Int64Type>(chunk, millis)
        }
        Values::Json(texts) => {
            let bytes = texts
                .iter()
                .take(rows)
                .map(|json| json.as_ref().map(|json| ByteArray::from(json.get())));
            write_column::<ByteArrayType>(chunk, bytes)
        }
    }
}

/// Writes the values, and the definition levels: 1 for a value, 0 for null.
fn write_column<T: DataType>(
    chunk: &mut SerializedColumnWriter<'_>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        present.extend(value);
    }
    chunk
        .typed::<T>()
        .write_batch(&present, Some(&levels), None)?;
    Ok(())
}
