//! From source text to [`Module`]s: follows `mod` declarations from the crate root. Resolves nothing.

use std::collections::BTreeMap;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, Path, UseTree};

use super::{Module, ModulePath, child};
use crate::files::SourceFile;

type Files<'f> = BTreeMap<&'f str, &'f SourceFile>;

/// Reads the root file and every module below it.
pub(crate) fn read(
    root: &str,
    files: &Files<'_>,
    modules: &mut BTreeMap<ModulePath, Module>,
) -> Result<(), String> {
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let crate_root = Place {
        path: Vec::new(),
        file: root.to_owned(),
        folder: folder.to_owned(),
    };
    read_file(crate_root, files, modules)
}

/// Where a module is.
struct Place {
    path: ModulePath,
    file: String,
    /// Where the files of its child modules are.
    folder: String,
}

fn read_file(
    place: Place,
    files: &Files<'_>,
    modules: &mut BTreeMap<ModulePath, Module>,
) -> Result<(), String> {
    let Some(file) = files.get(place.file.as_str()) else {
        return Err(format!("{}: no such file", place.file));
    };
    let parsed = syn::parse_file(&file.text)
        .map_err(|error| format!("{}:{}: {error}", place.file, line(error.span())))?;
    read_items(place, &parsed.items, files, modules)
}

fn read_items(
    place: Place,
    items: &[Item],
    files: &Files<'_>,
    modules: &mut BTreeMap<ModulePath, Module>,
) -> Result<(), String> {
    let mut reader = Reader(Module {
        file: place.file.clone(),
        ..Module::default()
    });
    let mut children = Vec::new();
    for item in items.iter().filter(|item| !is_test(attributes(item))) {
        if let Item::Mod(child) = item {
            children.push(child);
        } else {
            reader.define(item);
            reader.visit_item(item);
        }
    }
    let Place { path, file, folder } = place;
    modules.insert(path.clone(), reader.0);
    for ItemMod { ident, content, .. } in children {
        let name = ident.to_string();
        let path = child(&path, &name);
        let inner = format!("{folder}/{name}");
        if let Some((_, items)) = content {
            let place = Place {
                path,
                file: file.clone(),
                folder: inner,
            };
            read_items(place, items, files, modules)?;
        } else {
            let flat = format!("{inner}.rs");
            let file = if files.contains_key(flat.as_str()) {
                flat
            } else {
                format!("{inner}/mod.rs")
            };
            let place = Place {
                path,
                file,
                folder: inner,
            };
            read_file(place, files, modules)?;
        }
    }
    Ok(())
}

struct Reader(Module);

impl Reader {
    fn define(&mut self, item: &Item) {
        let ident = match item {
            Item::Struct(item) => self.define_type(&item.ident),
            Item::Enum(item) => self.define_type(&item.ident),
            Item::Union(item) => self.define_type(&item.ident),
            Item::Trait(item) => self.define_type(&item.ident),
            Item::Type(item) => self.define_type(&item.ident),
            Item::Const(item) => item.ident.to_string(),
            Item::Static(item) => item.ident.to_string(),
            Item::Fn(item) => item.sig.ident.to_string(),
            Item::Macro(item) => match &item.ident {
                Some(ident) => ident.to_string(),
                None => return,
            },
            _ => return,
        };
        self.0.defined.insert(ident);
    }

    fn define_type(&mut self, ident: &syn::Ident) -> String {
        let name = ident.to_string();
        self.0.types.push((name.clone(), line(ident.span())));
        name
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String]) {
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &child(prefix, &path.ident.to_string())),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix);
                }
            }
            UseTree::Name(name) => self.import_name(&name.ident, &name.ident, prefix),
            UseTree::Rename(rename) => self.import_name(&rename.ident, &rename.rename, prefix),
            UseTree::Glob(_) => {}
        }
    }

    /// `use a::{self}` imports `a`.
    fn import_name(&mut self, ident: &syn::Ident, alias: &syn::Ident, prefix: &[String]) {
        let (path, alias) = if ident == "self" {
            let last = prefix.last().cloned().unwrap_or_default();
            let alias = if alias == "self" {
                last
            } else {
                alias.to_string()
            };
            (prefix.to_vec(), alias)
        } else {
            (child(prefix, &ident.to_string()), alias.to_string())
        };
        self.0.references.push((path.clone(), line(ident.span())));
        self.0.imports.insert(alias, path);
    }

    /// Paths in a macro's arguments, which are tokens to syn.
    fn paths_in_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut joined = false;
        let mut at = Span::call_site();
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if !joined {
                        self.end_path(&mut path, at);
                    }
                    path.push(ident.to_string());
                    at = ident.span();
                    joined = false;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => joined = true,
                TokenTree::Group(group) => {
                    self.end_path(&mut path, at);
                    joined = false;
                    self.paths_in_tokens(group.stream());
                }
                _ => {
                    self.end_path(&mut path, at);
                    joined = false;
                }
            }
        }
        self.end_path(&mut path, at);
    }

    fn end_path(&mut self, path: &mut Vec<String>, at: Span) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.0.references.push((path, line(at)));
        }
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.import(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'a Path) {
        if path.segments.len() > 1 {
            let names = path.segments.iter().map(|part| part.ident.to_string());
            let at = path.segments.first().map(|part| line(part.ident.span()));
            self.0.references.push((names.collect(), at.unwrap_or(1)));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, found: &'a Macro) {
        self.paths_in_tokens(found.tokens.clone());
        visit::visit_macro(self, found);
    }
}

fn line(span: Span) -> usize {
    span.start().line
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
