import './styles/page.css';
import './styles/panels.css';
import './styles/charts.css';
import { App } from './app';

new App(document.body).start();
