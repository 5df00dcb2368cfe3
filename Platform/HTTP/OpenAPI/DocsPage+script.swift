extension DocsPage {
    static let script = #"""
        'use strict';
        const api = JSON.parse(document.getElementById('document').textContent);
        const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

        function el(name, attributes, ...children) {
          const node = document.createElement(name);
          for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
          for (const child of children.flat(Infinity)) if (child != null) node.append(child);
          return node;
        }
        // Only `code` and paragraphs of Markdown; everything stays text.
        function prose(text) {
          return (text || '').split(/\n\n+/).filter(Boolean).map(paragraph => el('p', {}, inline(paragraph)));
        }
        function inline(text) {
          return text.split('`').map((part, index) => index % 2 ? el('code', {}, part) : part);
        }
        function resolve(schema) {
          if (!schema || !schema.$ref) return schema || {};
          return Object.assign({}, api.components.schemas[schema.$ref.split('/').pop()], schema.description
            ? { description: schema.description } : {});
        }
        function type(schema) {
          const s = resolve(schema);
          if (schema && schema.$ref && s.type === 'object') return schema.$ref.split('/').pop();
          if (s.anyOf) return s.anyOf.map(type).join(' or ');
          if (s.enum) return s.enum.join(' | ');
          if (s.type === 'array') return 'array of ' + type(s.items) + bounds(s.minItems, s.maxItems);
          if (s.type === 'string') {
            return 'string' + (s.minLength == null && s.pattern ? ' ' + s.pattern : bounds(s.minLength, s.maxLength));
          }
          if (s.additionalProperties) return 'object of ' + type(s.additionalProperties) + bounds(0, s.maxProperties);
          if (s.type === 'integer') return 'integer' + bounds(s.minimum, s.maximum);
          return s.type || 'any';
        }
        function bounds(low, high) {
          if (low == null && high == null) return '';
          return ' (' + (low == null ? '' : low) + ' to ' + (high == null ? '' : high) + ')';
        }
        function example(schema, depth) {
          const s = resolve(schema);
          if (s.examples) return s.examples[0];
          if (depth > 6) return null;
          if (s.enum) return s.enum[0];
          if (s.anyOf) return example(s.anyOf[0], depth + 1);
          if (s.type === 'object') {
            const result = {};
            for (const [name, property] of Object.entries(s.properties || {})) result[name] = example(property, depth
                + 1);
            return result;
          }
          if (s.type === 'array') return s.minItems === 0 && depth > 3 ? [] : [example(s.items, depth + 1)];
          if (s.type === 'integer') return Math.max(s.minimum || 0, Math.min(1, s.maximum == null ? 1 : s.maximum));
          if (s.type === 'boolean') return true;
          return s.type === 'string' ? 'text' : null;
        }
        function rows(schema, prefix, depth) {
          let s = resolve(schema);
          if (s.anyOf) s = resolve(s.anyOf[0]);
          if (s.type === 'array') return rows(s.items, prefix + '[]', depth);
          if (s.type !== 'object' || depth > 4) return [];
          return Object.entries(s.properties || {}).flatMap(([name, property]) => {
            const path = prefix ? prefix + '.' + name : name;
            const required = (s.required || []).includes(name);
            return [row(path, required, type(property), resolve(property).description), ...rows(property, path, depth
                + 1)];
          });
        }
        function row(name, required, kind, description) {
          return el('tr', {}, el('td', {}, name, required ? el('span', { class: 'required' }, 'required') : null),
            el('td', {}, el('div', {}, inline(description || '')), el('div', { class: 'type' }, kind)));
        }
        function table(list) { return list.length ? el('table', {}, el('tbody', {}, list)) : null; }

        function quoted(text) { return "'" + text.replaceAll("'", "'\\''") + "'"; }
        function curl(path, method, operation) {
          const parameters = operation.parameters || [];
          let target = path.replace(/\{(\w+)\}/g, (whole, name) => {
            const parameter = parameters.find(p => p.name === name && p.in === 'path');
            return parameter ? encodeURIComponent(String(example(parameter.schema, 0))) : whole;
          });
          const query = parameters.filter(p => p.in === 'query' && p.required);
          if (query.length) target += '?' + query.map(p => p.name + '=' + encodeURIComponent(String(example(p.schema,
              0)))).join('&');
          const server = api.servers[0].url === '/' ? location.origin : api.servers[0].url;
          const lines = ['curl' + (method === 'get' ? '' : ' -X ' + method.toUpperCase()) + ' ' + quoted(server +
              target)];
          if (operation.security.length) lines.push('-H "Authorization: Bearer $TOKEN"');
          for (const p of parameters.filter(p => p.in === 'header' && p.required)) {
            lines.push(p.name === 'Idempotency-Key' ? '-H "Idempotency-Key: $(uuidgen)"' : '-H ' + quoted(p.name +
                ': "1"'));
          }
          const content = operation.requestBody && Object.entries(operation.requestBody.content)[0];
          if (content) {
            lines.push('-H ' + quoted('Content-Type: ' + content[0]));
            lines.push('-d ' + quoted(JSON.stringify(example(content[1].schema, 0))));
          }
          return lines.join(' \\\n  ');
        }
        function bodyOf(operation) {
          if (!operation.requestBody) return [];
          const [mediaType, content] = Object.entries(operation.requestBody.content)[0];
          const sample = example(content.schema, 0);
          return [el('h4', {}, 'Body, ' + mediaType), table(rows(content.schema, '', 0)),
            sample ? el('pre', {}, JSON.stringify(sample, null, 2)) : null];
        }
        function responsesOf(operation) {
          const list = Object.entries(operation.responses).filter(([status]) => status !== 'default');
          const good = list.filter(([status]) => status < '400').map(([status, response]) => {
            const content = response.content && Object.values(response.content)[0];
            const inner = content ? rows(content.schema, '', 0) : [];
            return el('div', {}, el('p', {}, el('strong', {}, status), ' ', inline(response.description),
              response.content ? el('span', { class: 'badge' }, Object.keys(response.content)[0]) : null),
                  table(inner));
          });
          const bad = list.filter(([status]) => status >= '400')
            .map(([status, response]) => el('tr', {}, el('td', {}, status), el('td', {},
                inline(response.description))));
          return [el('h4', {}, 'Answers'), good, el('h4', {}, 'Problems'), table(bad)];
        }
        function article(path, method, operation) {
          const parameters = (operation.parameters || [])
            .map(p => row(p.name, p.required, p.in + ', ' + type(p.schema), p.description));
          return el('article', { id: operation.operationId },
            el('h3', {}, el('span', { class: 'method ' + method }, method.toUpperCase()), ' ',
              el('span', { class: 'path' }, path), operation.security.length ? el('span', { class: 'badge' }, 'token')
                  : null),
            el('p', {}, el('strong', {}, operation.summary)), prose(operation.description),
            parameters.length ? el('h4', {}, 'Parameters') : null, table(parameters),
            bodyOf(operation), responsesOf(operation), el('h4', {}, 'Example'), el('pre', {}, curl(path, method,
                operation)));
        }

        const main = document.getElementById('main');
        const nav = document.getElementById('nav');
        main.replaceChildren(el('h1', {}, api.info.title), el('p', { class: 'type' }, 'Version ' + api.info.version +
            ', ',
          el('a', { href: '/openapi.json' }, 'OpenAPI 3.1')), ...prose(api.info.description));
        nav.append(el('strong', {}, api.info.title));
        for (const tag of api.tags) {
          const section = el('section', { class: 'tag' }, el('h2', {}, tag.name));
          nav.append(el('h2', {}, tag.name));
          for (const [path, item] of Object.entries(api.paths)) {
            for (const method of METHODS.filter(m => item[m] && item[m].tags.includes(tag.name))) {
              section.append(article(path, method, item[method]));
              nav.append(el('a', { href: '#' + item[method].operationId }, item[method].summary));
            }
          }
          main.append(section);
        }
        """#
}
