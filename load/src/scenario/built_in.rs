//! The scenarios that are found by name, compiled in, so that the tool needs no folder beside it.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// The names.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The text of one.
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
    fn every_scenario_of_the_folder_is_found_by_its_name_and_can_be_run() {
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
