export { identityColumns, parseCatalog, qualifiedName } from "./catalog";
export type {
  CapturedColumn,
  CapturedTable,
  CatalogColumn,
  CatalogTable,
  CatalogType,
  CatalogTypeKind,
  ReplicaIdentity,
  TableSettings,
} from "./model";
