//! The macro that writes an enum whose variants each carry a declaration. It must stay free of what is declared.

/// Writes an enum from declarations. The doc comment of a variant is also the field `description` of its declaration, a struct that
/// has a `name` as well.
macro_rules! declare {
    (
        $(#[doc = $about:literal])+
        $declared:ident: $declaration:ident;
        $($(#[doc = $description:literal])+ $variant:ident { $($field:ident: $value:expr,)+ })+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $declared {
            $($(#[doc = $description])+ $variant,)+
        }

        impl $declared {
            /// Every one, in the order of answers.
            pub(crate) const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// Its declaration.
            pub(crate) const fn declaration(self) -> &'static $declaration {
                match self {
                    $(Self::$variant => {
                        const DECLARATION: &$declaration = &$declaration {
                            description: concat!($($description),+).trim_ascii(),
                            $($field: $value,)+
                        };
                        DECLARATION
                    })+
                }
            }

            /// Every name, in the order of answers.
            pub(crate) fn names() -> impl Iterator<Item = &'static str> {
                Self::ALL.into_iter().map(Self::name)
            }

            /// Its name in questions and answers.
            pub(crate) const fn name(self) -> &'static str {
                self.declaration().name
            }
        }
    };
}
pub(super) use declare;
