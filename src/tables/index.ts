export { captureTables } from "./capture";
export { identityColumns, parseCatalog, qualifiedName } from "./catalog";
export {
  type ConnectorOptions,
  connectorSettings,
  exactly,
  generationSetting,
  maxEventBytes,
} from "./connector";
export { type Evolution, evolutionOf, widenedType } from "./evolve";
export type {
  CapturedColumn,
  CapturedTable,
  CapturedType,
  CatalogColumn,
  CatalogTable,
  CatalogType,
  CatalogTypeKind,
  ReplicaIdentity,
  RuleName,
  TableSettings,
} from "./model";
export { nestedName, tableObjectNames, topicOf } from "./names";
export {
  type ClickHouseColumn,
  type ClickHouseLayout,
  type ClickHouseObject,
  type ClickHouseOptions,
  clickhouseObjects,
  definitionOf,
  objectMark,
  plainKey,
} from "./objects";
export { heartbeatTable, heartbeatTopicPrefix, signalTable } from "./own";
export { literal, postgresName, qualified, quotedIdentifier } from "./sql";
