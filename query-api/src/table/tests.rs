//! Every format has the same values. The reader of the crate reads Parquet back.

use ::parquet::{
    basic::Compression,
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row},
    schema::{printer::print_schema, types::Type},
};
use bytes::Bytes;

use super::*;

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn column(name: &str, values: Values) -> Column {
    Column {
        name: name.to_owned(),
        values,
    }
}

/// A column of each kind; the last row is null.
fn table() -> Table {
    let at = Timestamp::parse_rfc3339("2026-11-23T10:00:00.123Z").unwrap();
    let texts = ["=1+1", "comma, \"quote\"\r\nand line", "曲🎵"].map(|text| Some(text.to_owned()));
    let data = ["{\"a\":\n[1, 2.50]}", "\"x\"", "null"].map(|text| Some(json(text)));
    Table::new(vec![
        column(
            "text",
            Values::Text(texts.into_iter().chain([None]).collect()),
        ),
        column(
            "integer",
            Values::Integer(vec![Some(i64::MIN), Some(0), Some(i64::MAX), None]),
        ),
        column(
            "number",
            Values::Number(vec![Some(0.1), Some(f64::NAN), Some(-1e300), None]),
        ),
        column(
            "flag",
            Values::Flag(vec![Some(true), Some(false), None, None]),
        ),
        column(
            "time",
            Values::Time(vec![Some(at), None, Some(at.plus_millis(1)), None]),
        ),
        column(
            "data",
            Values::Json(data.into_iter().chain([None]).collect()),
        ),
    ])
}

fn empty() -> Table {
    let columns = table().columns.into_iter().map(|Column { name, values }| {
        let values = match values {
            Values::Text(_) => Values::Text(Vec::new()),
            Values::Integer(_) => Values::Integer(Vec::new()),
            Values::Number(_) => Values::Number(Vec::new()),
            Values::Flag(_) => Values::Flag(Vec::new()),
            Values::Time(_) => Values::Time(Vec::new()),
            Values::Json(_) => Values::Json(Vec::new()),
        };
        Column { name, values }
    });
    Table::new(columns.collect())
}

fn text(table: &Table, format: Format) -> String {
    String::from_utf8(table.write(format).unwrap()).unwrap()
}

const LINES: [&str; 4] = [
    r#"{"text":"=1+1","integer":-9223372036854775808,"number":0.1,"flag":true,"time":"2026-11-23T10:00:00.123Z","data":{"a": [1, 2.50]}}"#,
    r#"{"text":"comma, \"quote\"\r\nand line","integer":0,"number":null,"flag":false,"time":null,"data":"x"}"#,
    r#"{"text":"曲🎵","integer":9223372036854775807,"number":-1e+300,"flag":null,"time":"2026-11-23T10:00:00.124Z","data":null}"#,
    r#"{"text":null,"integer":null,"number":null,"flag":null,"time":null,"data":null}"#,
];

#[test]
fn json_is_an_array_of_objects_or_an_object_a_line() {
    assert_eq!(
        text(&table(), Format::Json),
        format!("[{}]", LINES.join(","))
    );
    assert_eq!(text(&table(), Format::NdJson), LINES.join("\n") + "\n");
    assert_eq!(text(&empty(), Format::Json), "[]");
    assert_eq!(text(&empty(), Format::NdJson), "");
}

#[test]
fn csv_writes_values_unchanged_and_null_as_an_empty_field() {
    let lines = [
        "text,integer,number,flag,time,data",
        "=1+1,-9223372036854775808,0.1,true,2026-11-23T10:00:00.123Z,\"{\"\"a\"\":\n[1, 2.50]}\"",
        "\"comma, \"\"quote\"\"\r\nand line\",0,,false,,\"\"\"x\"\"\"",
        "曲🎵,9223372036854775807,-1e+300,,2026-11-23T10:00:00.124Z,null",
        ",,,,,",
    ];
    assert_eq!(text(&table(), Format::Csv), lines.join("\r\n") + "\r\n");
    assert_eq!(text(&empty(), Format::Csv), format!("{}\r\n", lines[0]));
}

#[test]
fn csv_is_read_back_as_it_was() {
    let written = table().write(Format::Csv).unwrap();
    let mut reader = ::csv::Reader::from_reader(written.as_slice());
    let texts: Vec<String> = reader
        .records()
        .map(|record| record.unwrap()[0].to_owned())
        .collect();
    assert_eq!(texts, ["=1+1", "comma, \"quote\"\r\nand line", "曲🎵", ""]);
}

fn parquet(table: &Table) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(Bytes::from(table.write(Format::Parquet).unwrap())).unwrap()
}

fn shown(schema: &Type) -> String {
    let mut text = Vec::new();
    print_schema(&mut text, schema);
    String::from_utf8(text).unwrap()
}

#[test]
fn parquet_is_read_back_as_it_was() {
    let reader = parquet(&table());
    let rows: Vec<Row> = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let values = |at: usize| -> Vec<Field> {
        let row = rows[at].get_column_iter();
        row.map(|(_, field)| field.clone()).collect()
    };
    let text = |text: &str| Field::Str(text.to_owned());
    let time = Field::TimestampMillis(1_795_428_000_123);
    assert_eq!(
        values(0),
        [
            text("=1+1"),
            Field::Long(i64::MIN),
            Field::Double(0.1),
            Field::Bool(true),
            time,
            text("{\"a\":\n[1, 2.50]}")
        ]
    );
    assert_eq!(
        values(1)[2..5],
        [Field::Null, Field::Bool(false), Field::Null]
    );
    assert_eq!(values(2)[0], text("曲🎵"));
    assert_eq!(values(3), vec![Field::Null; 6]);
    assert_eq!(rows.len(), 4);
}

#[test]
fn an_empty_table_has_the_same_schema() {
    let (full, empty) = (parquet(&table()), parquet(&empty()));
    let schema = shown(full.metadata().file_metadata().schema());
    insta::assert_snapshot!(schema);
    assert_eq!(shown(empty.metadata().file_metadata().schema()), schema);
    assert_eq!(empty.metadata().file_metadata().num_rows(), 0);
    assert_eq!(empty.get_row_iter(None).unwrap().count(), 0);
}

#[test]
fn every_column_is_compressed() {
    let reader = parquet(&table());
    let columns = reader.metadata().row_group(0).columns();
    assert!(
        columns
            .iter()
            .all(|column| column.compression() == Compression::SNAPPY)
    );
}

#[test]
fn the_same_table_is_the_same_bytes() {
    for format in Format::ALL {
        assert_eq!(
            table().write(format).unwrap(),
            table().write(format).unwrap(),
            "{format:?}"
        );
    }
}
