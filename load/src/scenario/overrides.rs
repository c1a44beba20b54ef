//! Applies `--set KEY=VALUE` to the text of a scenario. The key is a path such as `stages.0.rate`; the value is TOML, or else a
//! string. Does not know the fields: the parser of the result does.

use toml::{Table, Value};

/// The text with overrides applied.
///
/// # Errors
/// When the text is not TOML, or a path does not exist.
pub(super) fn apply(text: &str, overrides: &[String]) -> Result<String, String> {
    if overrides.is_empty() {
        return Ok(text.to_owned());
    }
    let mut table: Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    for given in overrides {
        let (path, value) = given
            .split_once('=')
            .ok_or_else(|| format!("--set {given}: expected KEY=VALUE"))?;
        set(&mut table, path.trim(), read(value.trim()))
            .map_err(|reason| format!("--set {given}: {reason}"))?;
    }
    toml::to_string(&table).map_err(|error| error.to_string())
}

/// A TOML value, or else a string.
fn read(text: &str) -> Value {
    let parsed: Option<Table> = format!("value = {text}").parse().ok();
    let value = parsed.and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn set(table: &mut Table, path: &str, value: Value) -> Result<(), String> {
    let Some((head, rest)) = path.split_once('.') else {
        table.insert(path.to_owned(), value);
        return Ok(());
    };
    let inner = table
        .entry(head)
        .or_insert_with(|| Value::Table(Table::new()));
    set_in(inner, head, rest, value)
}

fn set_in(inner: &mut Value, name: &str, path: &str, value: Value) -> Result<(), String> {
    match inner {
        Value::Table(table) => set(table, path, value),
        Value::Array(items) => {
            let (index, rest) = path.split_once('.').unwrap_or((path, ""));
            let count = items.len();
            let item = index.parse().ok().and_then(|at: usize| items.get_mut(at));
            let item = item.ok_or_else(|| format!("{name} has {count} items, counted from 0"))?;
            if rest.is_empty() {
                *item = value;
                return Ok(());
            }
            set_in(item, index, rest, value)
        }
        _ => Err(format!("{name} has no fields")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "model = \"open\"\nbatch = 1\n[[stages]]\nfor = \"1m\"\nrate = 100\n";

    fn applied(overrides: &[&str]) -> Result<Table, String> {
        let overrides: Vec<_> = overrides.iter().map(|&text| text.to_owned()).collect();
        Ok(apply(TEXT, &overrides)?.parse().unwrap())
    }

    #[test]
    fn any_field_is_overridden_by_its_path() {
        let table = applied(&[
            "stages.0.rate=3500",
            "stages.0.for=10s",
            "targets.database=x",
            "thresholds=[\"errors == 0\"]",
        ]);
        let table = table.unwrap();
        let stage = &table["stages"][0];
        assert_eq!(stage["rate"].as_integer(), Some(3_500));
        assert_eq!(stage["for"].as_str(), Some("10s"));
        assert_eq!(table["targets"]["database"].as_str(), Some("x"));
        assert_eq!(table["thresholds"][0].as_str(), Some("errors == 0"));
        assert_eq!(table["batch"].as_integer(), Some(1));
    }

    #[test]
    fn an_unknown_path_is_refused() {
        let refused = applied(&["stages.3.rate=1"]).unwrap_err();
        assert!(refused.contains("stages has 1 items"), "{refused}");
        let refused = applied(&["batch.size=1"]).unwrap_err();
        assert!(refused.contains("batch has no fields"), "{refused}");
        let refused = applied(&["batch"]).unwrap_err();
        assert!(refused.contains("KEY=VALUE"), "{refused}");
    }
}
