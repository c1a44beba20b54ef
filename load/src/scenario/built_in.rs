//! The built-in scenarios, compiled in, so that the tool needs no folder of them.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// The names of the built-in scenarios.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The text of a built-in scenario.
        pub(super) fn text(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../scenarios/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

scenarios!(
    "predecessor",
    "predecessor-small",
    "steady",
    "ramp",
    "spike",
    "soak",
    "players",
    "batch",
    "mixed",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn every_scenario_in_the_folder_is_built_in_and_valid() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut named: Vec<_> = NAMES.iter().map(|name| format!("{name}.toml")).collect();
        files.sort();
        named.sort();
        assert_eq!(files, named);
        for name in NAMES {
            let opened = Scenario::open(name, &[]);
            opened.unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
