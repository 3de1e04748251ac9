// Shows the API document of the server that this page came from. Nothing is asked from anywhere else.
SwaggerUIBundle({
  dom_id: "#api",
  url: "openapi.yaml",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
});
