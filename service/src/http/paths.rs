//! The documented paths of a service: templates, parameters and methods. poem-openapi renames path parameters in its
//! patterns (`:param0`), so that a pattern is looked up without the names of its parameters.

use std::collections::{BTreeMap, BTreeSet};

use poem::http::HeaderValue;

/// The paths, for `Allow` headers (which RFC 9110 requires with 405), error messages and metric labels.
#[derive(Debug, Clone, Default)]
pub struct Paths(BTreeMap<String, Path>);

#[derive(Debug, Clone)]
struct Path {
    template: String,
    methods: BTreeSet<String>,
}

impl Paths {
    /// Reads the paths of an OpenAPI document in JSON, such as `OpenApiService::spec()` returns.
    ///
    /// # Errors
    /// When the text is not an OpenAPI document in JSON.
    pub fn from_openapi(document: &str) -> Result<Self, serde_json::Error> {
        #[derive(serde::Deserialize)]
        struct Document {
            paths: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
        }
        let Document { paths } = serde_json::from_str(document)?;
        let operations = paths
            .iter()
            .flat_map(|(path, item)| item.keys().map(move |method| (path, method)));
        Ok(operations.fold(Self::default(), |all, (path, method)| {
            all.with(path, &method.to_uppercase())
        }))
    }

    /// Adds a method of a path, whose parameters are written `{id}`.
    #[must_use]
    pub fn with(mut self, template: &str, method: &str) -> Self {
        let new = || Path {
            template: template.to_owned(),
            methods: BTreeSet::new(),
        };
        let methods = &mut self.0.entry(shape(template)).or_insert_with(new).methods;
        methods.insert(method.to_owned());
        if method == "GET" {
            methods.insert("HEAD".to_owned());
        }
        self
    }

    /// The documented template of a matched pattern; the pattern itself if it is not documented.
    pub(super) fn template(&self, pattern: &str) -> String {
        self.0
            .get(&shape(pattern))
            .map_or(pattern, |path| &path.template)
            .to_owned()
    }

    /// The `Allow` header of a matched pattern.
    pub(super) fn allow(&self, pattern: &str) -> Option<HeaderValue> {
        let methods: Vec<&str> = self
            .0
            .get(&shape(pattern))?
            .methods
            .iter()
            .map(String::as_str)
            .collect();
        HeaderValue::from_str(&methods.join(", ")).ok()
    }

    /// The documented parameter for `name` in a matched pattern, such as `{id}` for `param0`.
    pub(super) fn parameter(&self, pattern: &str, name: &str) -> Option<&str> {
        let position = pattern
            .split('/')
            .position(|segment| segment.strip_prefix(':') == Some(name))?;
        self.0
            .get(&shape(pattern))?
            .template
            .split('/')
            .nth(position)
    }
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.starts_with([':', '{']) {
            "{}"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}
