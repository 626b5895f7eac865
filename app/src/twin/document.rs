//! What programs may read, as OpenAPI: made from the declarations of the twins, kept in `docs/api.yaml`, compared by a test.

use backend::failure::Broken;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, Object, OpenApi, OpenApiBuilder, PathItem,
    PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{PartialSchema as _, ToSchema};

use super::asked;
use super::download::Format;
use super::{Twin, Visit, Word};

/// How a program shows who it is: as a browser does.
const SESSION: &str = "session";
/// What every list may be asked besides its own words.
const AFTER: Word = Word {
    name: asked::AFTER,
    about: "Goes on behind the row that `next` of the answer before named.",
};
const LIMIT: Word = Word {
    name: asked::LIMIT,
    about: "Rows at most.",
};

/// The document of what `each` goes through.
#[must_use]
pub fn of(each: impl FnOnce(&mut Document)) -> OpenApi {
    let mut document = Document::default();
    each(&mut document);
    let cookie = ApiKeyValue::with_description("id", "The session of a signed-in browser.");
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Isorun account: what programs may read")
                .version("1")
                .description(Some(
                    "Every list and report of the dashboard under its page's address, with the ending `.json` or `.csv`. Amounts are \
                     text, since most readers of JSON round large numbers; a tick is a micro-dollar / 3,600,000 ms / 1,024 MiB.",
                ))
                .build(),
        )
        .paths(document.paths.build())
        .components(Some(document.components.security_scheme(SESSION, cookie).build()))
        .security(Some([SecurityRequirement::new(SESSION, [] as [String; 0])]))
        .build()
}

/// The same as text.
///
/// # Errors
/// When it cannot be written.
pub fn yaml(document: &OpenApi) -> Result<String, Broken> {
    Ok(document.to_yaml()?)
}

/// A document that grows by one twin after the other.
#[derive(Default)]
pub struct Document {
    paths: PathsBuilder,
    components: ComponentsBuilder,
}

impl Visit for Document {
    fn twin<T: Twin>(&mut self) {
        let (mut paths, mut components) = (
            std::mem::take(&mut self.paths),
            std::mem::take(&mut self.components),
        );
        for format in Format::ALL {
            let path = format!("{}.{}", T::PATH, format.ending());
            paths = paths.path(path, PathItem::new(HttpMethod::Get, operation::<T>(format)));
        }
        let mut beside = Vec::new();
        T::Row::schemas(&mut beside);
        T::Head::schemas(&mut beside);
        for (name, schema) in beside {
            components = components.schema(name, schema);
        }
        components = components
            .schema(T::Row::name(), T::Row::schema())
            .schema(T::Head::name(), T::Head::schema());
        (self.paths, self.components) = (paths, components);
    }
}

fn operation<T: Twin>(format: Format) -> OperationBuilder {
    let paged = T::PAGES.map_or(&[][..], |_| &[AFTER]);
    let words = T::WORDS
        .iter()
        .chain(paged)
        .map(|word| parameter(*word, string()));
    let limit = T::PAGES.map(|pages| {
        let number = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Integer))
            .minimum(Some(1))
            .maximum(Some(pages.at_most));
        parameter(LIMIT, number.build())
    });
    let content = match format {
        Format::Json => Content::new(Some(object::<T>())),
        Format::Csv => Content::new(Some(
            ObjectBuilder::from(string())
                .description(Some(columns::<T>()))
                .build(),
        )),
    };
    let found = ResponseBuilder::new()
        .description("The rows; with an `ETag` when they fit into one read")
        .content(format.media_type(), content);
    OperationBuilder::new()
        .summary(Some(T::ABOUT))
        .parameters(Some(words.chain(limit)))
        .response("200", found)
        .response(
            "303",
            Response::new("Nobody is signed in: leads to `/sign-in`"),
        )
        .response(
            "400",
            Response::new(
                "Something else was asked than the file can hold: every reason in words, as text or, of `.json`, as `problems` with `field` and `text`",
            ),
        )
        .response(
            "304",
            Response::new("`If-None-Match` named the `ETag` of what there is"),
        )
}

fn parameter(word: Word, schema: Object) -> Parameter {
    ParameterBuilder::new()
        .name(word.name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(word.about))
        .schema(Some(schema))
        .build()
}

fn string() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .build()
}

fn columns<T: Twin>() -> String {
    format!("Columns: {}", T::COLUMNS.join(", "))
}

/// The head, and beside it the rows and where they go on.
fn object<T: Twin>() -> RefOr<Schema> {
    let rows = ArrayBuilder::new().items(Ref::from_schema_name(T::Row::name()));
    let boolean = ObjectBuilder::new().schema_type(SchemaType::new(Type::Boolean));
    let next = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some(
            "What `after` takes to go on; null when these are the last rows.",
        ));
    let rows = ObjectBuilder::new()
        .property(T::ROWS, rows)
        .property(
            "cut",
            boolean.description(Some("Whether there are more rows.")),
        )
        .property("next", next)
        .required(T::ROWS)
        .required("cut")
        .required("next");
    let head = Ref::from_schema_name(T::Head::name());
    RefOr::T(Schema::AllOf(
        AllOfBuilder::new().item(head).item(rows).build(),
    ))
}
