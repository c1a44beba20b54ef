//! A GET operation: its entry in the OpenAPI document and its route. It must not know what an operation reads or returns.

use std::{collections::HashMap, future::Future, marker::PhantomData, sync::Arc};

use ess_service::problem::Problem;
use poem::{EndpointExt as _, Error, Request, Response, endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi, Tags,
    registry::{MetaApi, MetaOperation, MetaOperationParam, MetaPath, MetaResponses, Registry},
};

use super::reader::Reader;

/// The groups of operations in the document.
#[derive(Debug, Clone, Copy, Tags)]
pub(super) enum Tag {
    /// Statistics of playbacks.
    Stats,
    /// Raw events, each distinct event once.
    Events,
    /// How far the Kafka log is projected into the read model.
    Projection,
}

/// The texts of an operation.
#[derive(Debug)]
pub(super) struct Entry {
    /// The path, parameters as `{id}`.
    pub(super) path: &'static str,
    /// The operation id.
    pub(super) id: &'static str,
    /// The group.
    pub(super) tag: Tag,
    /// One line.
    pub(super) summary: &'static str,
    /// One paragraph.
    pub(super) description: &'static str,
}

/// One GET operation.
pub(super) trait Operation: Send + Sync + 'static {
    /// Its texts.
    const ENTRY: Entry;

    /// Its parameters.
    fn parameters() -> Vec<MetaOperationParam>;

    /// Its responses.
    fn responses() -> MetaResponses;

    /// Registers the schemas to which the responses refer.
    fn register(registry: &mut Registry);

    /// Responds to a request.
    ///
    /// # Errors
    /// One of the documented problems.
    fn respond(
        reader: &Arc<Reader>,
        request: &Request,
    ) -> impl Future<Output = Result<Response, Problem>> + Send;
}

/// An operation as an API of one route.
#[derive(Debug)]
pub(crate) struct Get<O> {
    reader: Arc<Reader>,
    operation: PhantomData<O>,
}

impl<O> Get<O> {
    /// The operation over `reader`.
    pub(super) fn new(reader: &Arc<Reader>) -> Self {
        Self {
            reader: Arc::clone(reader),
            operation: PhantomData,
        }
    }
}

impl<O: Operation> OpenApi for Get<O> {
    fn meta() -> Vec<MetaApi> {
        let Entry {
            path,
            id,
            tag,
            summary,
            description,
        } = O::ENTRY;
        let operation = MetaOperation {
            method: Method::GET,
            tags: vec![tag.name()],
            summary: Some(summary),
            description: Some(description),
            external_docs: None,
            params: O::parameters(),
            request: None,
            responses: O::responses(),
            deprecated: false,
            security: Vec::new(),
            operation_id: Some(id),
            code_samples: Vec::new(),
        };
        vec![MetaApi {
            paths: vec![MetaPath {
                path: path.to_owned(),
                operations: vec![operation],
            }],
        }]
    }

    fn register(registry: &mut Registry) {
        O::ENTRY.tag.register(registry);
        O::register(registry);
    }

    fn add_routes(self, routes: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        let reader = self.reader;
        let endpoint = poem::endpoint::make(move |request| {
            let reader = Arc::clone(&reader);
            async move { O::respond(&reader, &request).await.map_err(Error::from) }
        });
        let path = O::ENTRY.path.replace('{', ":").replace('}', "");
        let methods = routes.entry(path).or_default();
        methods.insert(Method::GET, endpoint.map_to_response().boxed());
    }
}
