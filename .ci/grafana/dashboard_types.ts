// What the dashboard may hold, by Grafana's own types. The package's type of a panel takes anything for options, queries
// and a panel's own settings of fields: here each kind of panel has those that the package declares for it.
import type * as common from '@grafana/schema';
import type {
  Options as StatOptions,
} from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  Options as CurveOptions,
  FieldConfig as CurveFields,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as raw from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen';

// JSON has an enumeration's values, not its members.
type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? `${T}` extends `${infer N extends number}` ? N : never
    : T extends boolean | null | undefined
      ? T
      : T extends Array<infer U>
        ? Array<Plain<U>>
        : T extends object
          ? { [K in keyof T]: Plain<T[K]> }
          : T;

// Of Prometheus' data source, which the package does not declare.
type Source = { type: 'prometheus'; uid: '${datasource}' };
type Query = {
  refId: string;
  datasource: Source;
  editorMode: 'code' | 'builder';
  expr: string;
  legendFormat: string;
  format: 'time_series' | 'table' | 'heatmap';
  range: boolean;
  instant: boolean;
};
type Annotation = Omit<Plain<Omit<raw.AnnotationQuery, 'target'>>, 'datasource'> & {
  datasource: Source;
  titleFormat: string;
  textFormat: string;
  target: { refId: string; expr: string };
};

type Property =
  | { id: 'unit'; value: string }
  | { id: 'color'; value: Plain<raw.FieldColor> }
  | { id: 'thresholds'; value: Plain<raw.ThresholdsConfig> }
  | { id: 'mappings'; value: Array<Plain<raw.ValueMapping>> }
  | { id: 'custom.lineStyle'; value: Plain<common.LineStyle> }
  | { id: 'custom.cellOptions'; value: Plain<common.TableCellOptions> };
type Override = {
  matcher: { id: 'byName' | 'byFrameRefID'; options: string };
  properties: Property[];
};
type Transformation =
  | { id: 'merge'; options: Record<string, never> }
  | {
      id: 'organize';
      options: {
        excludeByName: Record<string, boolean>;
        renameByName: Record<string, string>;
        indexByName: Record<string, number>;
      };
    };

type Of<Type extends string, Options, Fields> = Omit<
  Plain<Omit<raw.Panel, 'fieldConfig' | 'options' | 'targets' | 'transformations'>>,
  'type' | 'id' | 'title' | 'description' | 'gridPos' | 'datasource'
> & {
  type: Type;
  id: number;
  title: string;
  description: string;
  gridPos: raw.GridPos;
  datasource: Source;
  targets: Query[];
  options: Plain<Options>;
  fieldConfig: {
    defaults: Omit<Plain<Omit<raw.FieldConfig, 'custom' | 'links'>>, 'unit'> & { unit: string; custom?: Plain<Fields> };
    overrides: Override[];
  };
  transformations?: Transformation[];
};
type Panel =
  | Of<'timeseries', CurveOptions, CurveFields>
  | Of<'stat', StatOptions, Record<string, never>>
  | Of<'table', common.TableOptions, common.TableFieldOptions>;
type Row = Omit<Plain<Omit<raw.RowPanel, 'panels' | 'datasource'>>, 'gridPos'> & { gridPos: raw.GridPos; panels: [] };
type Variable = Plain<Omit<raw.VariableModel, 'query'>> & {
  query: 'prometheus' | { qryType: 0 | 1 | 2 | 3 | 4 | 5; query: string; refId: string };
};

export type Dashboard = Plain<Omit<raw.Dashboard, 'panels' | 'annotations' | 'templating'>> & {
  uid: string;
  title: string;
  panels: Array<Panel | Row>;
  annotations: { list: Annotation[] };
  templating: { list: Variable[] };
};
